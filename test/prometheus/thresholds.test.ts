import { describe, expect, it } from 'vitest';
import { type ThresholdName, Thresholds } from '../../lambdas/domain/thresholds.ts';
import { alertsOf, commentsOf, subjects } from './rule-files.ts';

const defaults = Thresholds.parse({});

/** The alerts that ask what a rule of the diagnosis asks, and what of their expression follows from its threshold. */
const same: [string, ThresholdName, (value: number) => string][] = [
  ['CgroupMedicDyingCgroups', 'dyingCount', (value) => `{slice="/"}[15m]) >= ${value}`],
  ['CgroupMedicDyingCgroupsCost', 'dyingMemoryPercent', (value) => `>= ${value / 100}`],
  ['CgroupMedicDyingCgroupsGrowing', 'dyingPerHour', (value) => `deriv3h{slice="/"} offset 3h > ${value}`],
  ['CgroupMedicDyingCgroupsGrowing', 'dyingPerHour', (value) => `deriv3h{slice="/"} > ${value}`],
  ['CgroupMedicSessionChurn', 'dyingPerHour', (value) => `deriv3h{slice="/user.slice"} > ${value}`],
  ['CgroupMedicSessionChurn', 'dyingPerHour', (value) => `{slice="/user.slice"} offset 3h > ${value}`],
  ['CgroupMedicRegisteredCgroupsGrowing', 'dyingPerHour', (value) => `deriv3h > ${value}`],
  ['CgroupMedicRegisteredCgroupsGrowing', 'dyingPerHour', (value) => `deriv3h offset 3h > ${value}`],
  ['CgroupMedicLeakedScopes', 'leakedScopes', (value) => `[15m])) >= ${value}`],
  ['CgroupMedicManyLiveCgroups', 'liveCgroups', (value) => `[15m])) >= ${value}`],
  ['CgroupMedicMemoryStalls', 'memoryStallPercent', (value) => `ratio5m >= ${value / 100}`],
  ['CgroupMedicThrottlingUnderReclaim', 'throttledRatio', (value) => `ratio5m) >= ${value}`],
  ['CgroupMedicCpuQuotaThrottling', 'throttledRatio', (value) => `ratio5m >= ${value}`],
  ['CgroupMedicKubeletMemoryGrowing', 'kubeletMbPerDay', (value) => `deriv6h > ${value} * 1024 * 1024`],
  [
    'CgroupMedicKubeletMemoryGrowing',
    'kubeletMbPerDay',
    (value) => `deriv6h offset 6h > ${value} * 1024 * 1024`,
  ],
  ['CgroupMedicKubeletGoroutinesHigh', 'goroutines', (value) => `[1h]) >= ${value}`],
  ['CgroupMedicKubeletPlegSlow', 'plegRelistSeconds', (value) => `{le=~"${value}|${value}.0"}`],
  ['CgroupMedicDeadContainers', 'exitedContainers', (value) => `{container_state="exited"}) >= ${value}`],
  ['CgroupMedicDeadContainers', 'exitedPerRunning', (value) => `>= ${value} * max by`],
  ['CgroupMedicServiceMemoryGrowing', 'agentMbPerDay', (value) => `[6h]) * 86400 > ${value} * 1024 * 1024`],
  [
    'CgroupMedicServiceMemoryGrowing',
    'agentMbPerDay',
    (value) => `[6h] offset 6h) * 86400 > ${value} * 1024 * 1024`,
  ],
];

/** Where a comment says "not thresholds.x", the rule measures something else, and the comment says why. */
const named = subjects.flatMap(commentsOf).flatMap(({ alert, comment }) =>
  [...comment.matchAll(/(not )?thresholds\.(\w+)/gi)].map(([, not, name = '']) => ({
    alert,
    name,
    differs: not !== undefined,
  })),
);
/** True only of six hours of thresholds.dyingPerHour together; no number of the expression. */
const implied = { alert: 'CgroupMedicDyingCgroupsGrowing', name: 'dyingFloor' };

describe('the numbers of the alerts', () => {
  const alerts = subjects.flatMap(alertsOf);

  it.each(same)('%s has thresholds.%s as the diagnosis has it by default', (name, threshold, textOf) => {
    const exprs = alerts.filter(({ alert }) => alert === name).map(({ expr }) => expr.replace(/\s+/g, ' '));
    const [expr = ''] = exprs;
    const text = textOf(defaults[threshold]);

    expect(exprs).toHaveLength(1);
    expect(expr).toContain(text);
    // Another digit would be another number.
    expect(expr.slice(expr.indexOf(text) + text.length)).not.toMatch(/^[\d.e]/);
  });

  it('have a threshold of the diagnosis where their comment names it, and the comment names each', () => {
    const pairs = named.filter(({ differs }) => !differs).map(({ alert, name }) => `${alert} ${name}`);

    expect(new Set(pairs)).toEqual(
      new Set([...same.map(([alert, name]) => `${alert} ${name}`), `${implied.alert} ${implied.name}`]),
    );
    expect(6 * defaults.dyingPerHour).toBeGreaterThan(defaults.dyingFloor);
  });

  it('differ from one that exists where the comment says so', () => {
    const differing = named.filter(({ differs }) => differs);

    expect(differing.length).toBeGreaterThan(0);
    for (const { name } of differing) expect(Object.keys(defaults)).toContain(name);
  });
});
