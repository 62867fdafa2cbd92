import * as z from 'zod';
import { ClusterQuestion, findNode } from './find-node.ts';
import { HttpsGetter } from './https-get.ts';
import { KubernetesApi } from './kubernetes-api.ts';
import { MedicError } from './medic-error.ts';

/** Which label of which node, and where. */
export const LabelQuestion = ClusterQuestion.extend({ label: z.string().min(1) });
export type LabelQuestion = z.infer<typeof LabelQuestion>;

/** `null`: the node is there, and has no such label. */
export const LabelAnswer = z.object({ value: z.string().nullable() });
export type LabelAnswer = z.infer<typeof LabelAnswer>;

/**
 * A label of the node of an instance, by what the API server has of it now.
 *
 * @throws ApiServerError where that did not answer, or refuses; MedicError where it knows no node of this instance
 */
export async function labelOfNode(
  question: LabelQuestion,
  token: string,
  limitMs: number,
): Promise<LabelAnswer> {
  const { cluster, endpoint, instanceId, label } = question;
  const https = new HttpsGetter({ ca: endpoint.ca, token, signal: AbortSignal.timeout(limitMs) });
  try {
    const found = await findNode(new KubernetesApi(endpoint.endpoint, https), question);
    if (found.value === null) {
      const more = found.partial === undefined ? '' : ` (${found.partial})`;
      throw new MedicError(`no node of ${cluster} has the provider id of ${instanceId}${more}`);
    }
    const { labels } = found.value.metadata;
    return { value: Object.hasOwn(labels, label) ? (labels[label] ?? null) : null };
  } finally {
    https.close();
  }
}
