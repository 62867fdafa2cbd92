import * as z from 'zod';
import { KubernetesNode } from '../domain/around/kubernetes.ts';
import { NodeMarks } from '../domain/gates/others-gate.ts';
import { cordonAnnotation } from '../domain/replacement/cordon.ts';
import { ClusterQuestion, findNode } from './find-node.ts';
import { HttpsGetter } from './https-get.ts';
import { KubernetesApi } from './kubernetes-api.ts';
import { MedicError } from './medic-error.ts';

/** The marks of which node, and the value of which label, and where. */
export const MarksQuestion = ClusterQuestion.extend({ label: z.string().min(1) });
export type MarksQuestion = z.infer<typeof MarksQuestion>;

const MarkedNode = KubernetesNode.extend({
  metadata: KubernetesNode.shape.metadata.extend({
    annotations: z.record(z.string(), z.string()).default({}),
  }),
});

/** `label: null`: the node is there, and has no such label. */
export const MarksAnswer = NodeMarks.extend({ label: z.string().nullable() });
export type MarksAnswer = z.infer<typeof MarksAnswer>;

/**
 * What people and programs have marked the node of an instance with, by what the API server has of it now.
 *
 * @throws ApiServerError where that did not answer, or refuses; MedicError where it knows no node of this instance
 */
export async function marksOfNode(
  question: MarksQuestion,
  token: string,
  limitMs: number,
): Promise<MarksAnswer> {
  const { cluster, endpoint, instanceId, label } = question;
  const https = new HttpsGetter({ ca: endpoint.ca, token, signal: AbortSignal.timeout(limitMs) });
  try {
    const found = await findNode(new KubernetesApi(endpoint.endpoint, https), question, MarkedNode);
    if (found.value === null) {
      const more = found.partial === undefined ? '' : ` (${found.partial})`;
      throw new MedicError(`no node of ${cluster} has the provider id of ${instanceId}${more}`);
    }
    const { metadata, spec } = found.value;
    return {
      label: Object.hasOwn(metadata.labels, label) ? (metadata.labels[label] ?? null) : null,
      taints: spec.taints,
      unschedulable: spec.unschedulable,
      cordonedBy: metadata.annotations[cordonAnnotation] ?? null,
      deleting: metadata.deletionTimestamp != null,
    };
  } finally {
    https.close();
  }
}
