import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

/** A figure that goes from one value to another in a straight line over the hours before now. */
const Course = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  /** Beside ClusterName and InstanceId, which every course has. */
  dimensions: z.record(z.string(), z.string()).default({}),
  hours: z.number().positive().max(24),
  everySeconds: z.int().positive(),
  from: z.number(),
  to: z.number(),
});
export type Course = z.infer<typeof Course>;

const Named = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });

/**
 * What is known around a recorded node, in its file `around.json`. A text `ago:N` in it stands for the time N seconds
 * before it is asked for. Objects are those of the Kubernetes API; the node gets its provider id and address here.
 */
export const RecordedAround = z.strictObject({
  provenance: z.string(),
  metrics: z.array(Course).default([]),
  /** Lines on the console of the instance. */
  console: z.array(z.string()).default([]),
  /** What the API server of its cluster has, and what its kubelet shows on /metrics, line by line. */
  cluster: z
    .strictObject({
      node: Named,
      pods: z.array(Named).default([]),
      events: z.array(z.looseObject({})).default([]),
      podCertificateRequests: z.array(z.looseObject({})).default([]),
      /** `null` where the kubelet does not answer. */
      kubeletMetrics: z.array(z.string()).nullable().default(null),
    })
    .optional(),
  /** The managed node group that it is in, the Auto Scaling group of that, and the node that this makes in its place. */
  group: z
    .strictObject({
      nodeGroup: z.string(),
      name: z.string(),
      next: z.strictObject({ node: Named, pods: z.array(Named).default([]) }),
    })
    .optional(),
});
export type RecordedAround = z.infer<typeof RecordedAround>;

/**
 * What is known around a recorded node; nothing where there is no such file. One that says `"like": "NAME"` has what that
 * node has, but for what it says itself, put together as RFC 7396 does: `null` takes away, and lists are replaced.
 */
export function readAround(nodes: string, name: string): RecordedAround | undefined {
  const known = readMerged(nodes, name);
  return known === undefined ? undefined : RecordedAround.parse(known);
}

function readMerged(nodes: string, name: string): unknown {
  const file = join(nodes, name, 'around.json');
  if (!existsSync(file)) return undefined;
  const { like, ...own } = Like.parse(JSON.parse(readFileSync(file, 'utf8')));
  return like === undefined ? own : merged(readMerged(nodes, like), own);
}

const Like = z.looseObject({ like: z.string().optional() });

function merged(base: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The tags that EC2 has of the instance behind it, beside that of its cluster. */
export function recordedTags(around: RecordedAround | undefined): Record<string, string> {
  if (around?.group === undefined) return {};
  const { nodeGroup, name } = around.group;
  return { 'eks:nodegroup-name': nodeGroup, 'aws:autoscaling:groupName': name };
}

/** The same with the times that it stands for now. */
export function atThisTime<T>(value: T, now = Date.now()): T {
  const text = JSON.stringify(value).replace(/"ago:(\d+)"/g, (_, seconds: string) =>
    JSON.stringify(new Date(now - Number(seconds) * 1000).toISOString().replace(/\.\d{3}Z$/, 'Z')),
  );
  return JSON.parse(text);
}
