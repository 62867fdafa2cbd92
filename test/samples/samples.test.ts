import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { CauseId } from '../../lambdas/domain/causes/cause-id.ts';
import { diagnose } from '../../lambdas/domain/diagnosis.ts';
import { readEvidence } from '../../lambdas/domain/evidence/read-evidence.ts';
import { planFor } from '../../lambdas/domain/plan.ts';
import { virtualFaults } from '../../local/vm/faults/index.ts';
import { clusterWith } from '../lambdas/domain/sample-evidence.ts';

/** What both evidence documents printed on a real kernel with a real fault on it. */
const Sample = z.strictObject({
  cause: CauseId,
  variant: z.string().optional(),
  /** Where and how it was recorded; what in it was not real. */
  provenance: z.string(),
  evidence: z.unknown(),
  services: z.unknown(),
});

const samples = globSync('*.json', { cwd: import.meta.dirname })
  .sort()
  .map((file) => ({
    name: basename(file, '.json'),
    sample: Sample.parse(JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8'))),
  }));

describe('evidence that was recorded on real kernels', () => {
  it.each(samples)('$name is diagnosed as what was wrong', ({ sample }) => {
    const read = readEvidence(JSON.stringify(sample.evidence), { output: JSON.stringify(sample.services) });
    if (!read.ok) throw new Error(read.error);
    const cluster = clusterWith(virtualFaults[sample.cause]?.cluster);
    const diagnosis = diagnose(read.evidence, cluster.thresholds);

    expect(diagnosis).toMatchObject({
      cause: sample.cause,
      ...(sample.variant === undefined ? {} : { variant: sample.variant }),
    });
    const ladder = planFor(diagnosis, read.evidence, cluster).plan;
    expect(ladder.length > 1).toBe(sample.cause !== 'healthy');
  });

  it('is there for every fault that can be made in a virtual node', () => {
    expect(new Set(samples.map(({ sample }) => sample.cause))).toEqual(new Set(Object.keys(virtualFaults)));
  });
});
