import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import { CauseId } from '../../lambdas/domain/causes/cause-id.ts';

const silent = <T extends z.ZodType>(value: T) => value.nullable().optional();

/** One thing that a report says. `inferred`: computed from it, or follows from it. */
export const Fact = z.object({
  name: z.string().min(1),
  value: z.union([z.number(), z.string(), z.boolean()]),
  from: z.enum(['reported', 'inferred']),
});
export type Fact = z.infer<typeof Fact>;

/** A public incident: what its reports say, what it was, and what would have been right and wrong to do. */
export const Incident = z.object({
  id: z.string(),
  title: z.string(),
  year: z.int(),
  sources: z.array(z.url()).min(1),
  /** What the reports are silent about is absent, or null. */
  platform: z.object({
    kernel: silent(z.string()),
    os: silent(z.string()),
    kubernetes: silent(z.string()),
    cgroupVersion: silent(z.literal([1, 2])),
    systemd: silent(z.string()),
    runtime: silent(z.string()),
    uptimeDays: silent(z.number()),
    memoryGiB: silent(z.number()),
    cpus: silent(z.number()),
  }),
  facts: z.array(Fact),
  expected: z.object({
    cause: CauseId,
    variant: silent(z.string()),
    alsoAcceptable: z.array(CauseId).default([]),
    /** Why a tempting answer is wrong. */
    whyNot: z.record(z.string(), z.string()).default({}),
  }),
  actions: z.object({ right: z.array(z.string()), forbidden: z.array(z.string()) }),
  /** How sure the label is. */
  confidence: z.enum(['high', 'medium', 'low']),
});
export type Incident = z.infer<typeof Incident>;

export const incidentFolder = resolve(import.meta.dirname, 'incidents');

/** The incidents of a folder, by file name. A file that is none is an error with its name. */
export function incidentsIn(folder: string): Incident[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const read = Incident.safeParse(JSON.parse(readFileSync(resolve(folder, file), 'utf8')));
      if (!read.success) throw new Error(`${file} is no incident: ${z.prettifyError(read.error)}`);
      return read.data;
    });
}
