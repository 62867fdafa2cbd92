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
});
export type RecordedAround = z.infer<typeof RecordedAround>;

/** What is known around the recorded node in this folder; nothing where there is no such file. */
export function readAround(folder: string): RecordedAround | undefined {
  const file = join(folder, 'around.json');
  return existsSync(file) ? RecordedAround.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
}

/** The same with the times that it stands for now. */
export function atThisTime<T>(value: T, now = Date.now()): T {
  const text = JSON.stringify(value).replace(/"ago:(\d+)"/g, (_, seconds: string) =>
    JSON.stringify(new Date(now - Number(seconds) * 1000).toISOString().replace(/\.\d{3}Z$/, 'Z')),
  );
  return JSON.parse(text);
}
