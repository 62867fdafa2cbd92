import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../lambdas/domain/diagnosis.ts';
import { modeGate } from '../../lambdas/domain/gates/mode-gate.ts';
import { planFor } from '../../lambdas/domain/plan.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import { cgroups, evidenceWith, slices } from '../lambdas/domain/sample-evidence.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/settings.md'), 'utf8');
const examples = [...page.matchAll(/^(.+):\n\n {4}(\{.*\})$/gm)].map(([, wish = '', json = '']) => ({
  wish,
  json,
}));

/** What becomes of each treatment on the ladder of a node full of dying cgroups. */
function decisions(json: string) {
  const cluster = Settings.parse(JSON.parse(json)).clusters['my-cluster'];
  if (cluster === undefined) throw new Error(`no cluster "my-cluster" in ${json}`);
  const evidence = evidenceWith({
    cgroups: cgroups(120, 40_000),
    slices: slices({ path: '/system.slice', dying: 20_000 }, { path: '/kubepods.slice', dying: 20_000 }),
  });
  const { plan } = planFor(diagnose(evidence, cluster.thresholds), evidence, cluster);
  return plan
    .filter(({ kind }) => kind !== 'notify')
    .map((rung) => ({
      treatment: rung.treatment,
      slices: rung.arguments.slices,
      decision: modeGate(cluster.initialMode, rung, false).decision,
    }));
}

describe('an example of docs/settings.md', () => {
  const own = '/system.slice';
  it.each([
    [
      /nothing else/,
      [
        ['reclaim', own, 'pass'],
        ['drop-caches', undefined, 'skip'],
      ],
    ],
    [
      /ask before/,
      [
        ['reclaim', own, 'pass'],
        ['drop-caches', undefined, 'ask'],
      ],
    ],
    [
      /pods/,
      [
        ['reclaim', '/kubepods.slice /system.slice', 'observe'],
        ['drop-caches', undefined, 'observe'],
      ],
    ],
  ] as const)('that wishes %s gets it', (wish, wanted) => {
    const example = examples.find((one) => wish.test(one.wish));

    expect(decisions(example?.json ?? '{}')).toMatchObject(
      wanted.map(([treatment, slices, decision]) => ({ treatment, slices, decision })),
    );
  });
});
