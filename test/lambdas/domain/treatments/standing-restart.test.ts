import { describe, expect, it } from 'vitest';
import { Settings } from '../../../../lambdas/domain/settings.ts';
import { standingRestart } from '../../../../lambdas/domain/treatments/standing-restart.ts';
import type { GroupKnown } from '../../../../lambdas/domain/treatments/treatment.ts';
import { samplePast } from '../history/sample-past.ts';
import { evidenceWith, ok } from '../sample-evidence.ts';

const window = { days: ['SAT'], start: '22:00', end: '23:00', timeZone: 'Etc/UTC' };
const clusterOf = (gates: object) => Settings.parse({ clusters: { prod: { gates } } }).clusters.prod;
const cluster = clusterOf({ windows: { open: [window] } });
const without = clusterOf({});
if (cluster === undefined || without === undefined) throw new Error('no settings');
const diagnosis = { cause: 'kubelet-leak' as const, findings: [] };
const helped = (count: number, change: Parameters<typeof samplePast>[0] = {}) =>
  Array.from({ length: count }, (_, index) =>
    samplePast({
      incident: `inc-${index}`,
      cause: 'kubelet-leak',
      done: [{ treatment: 'restart-kubelet', came: 'cured' }],
      ...change,
    }),
  );
const group = (change: Partial<Exclude<GroupKnown, { gap: string }>> = {}): GroupKnown => ({
  nodeGroup: 'workers',
  pasts: helped(3),
  days: 7,
  standing: undefined,
  ...change,
});
const kubelet = (version: string) => evidenceWith({ kubelet: ok({ active: 'active', version }) });
const propose = (known: GroupKnown | undefined, settings = cluster, evidence = kubelet('v1.31.7')) =>
  standingRestart.propose(evidence, settings, diagnosis, known);

describe('a standing restart', () => {
  it('is offered for a group in which a restart has helped against the leak three times', () => {
    expect(propose(group())).toMatchObject({
      arguments: { nodeGroup: 'workers', threshold: '2048', days: '14' },
      reason: expect.stringContaining(
        'restart-kubelet has helped against kubelet-leak in group workers 3 times',
      ),
    });
  });

  it('says which fix is known and not in use, and that none is', () => {
    expect(propose(group())).toMatchObject({
      reason: expect.stringContaining('No fix is known for its kubelet, v1.31.7'),
    });
    const leaky = { fact: 'version of the kubelet', value: 'v1.36.1', speaks: 'for' as const, source: 'x' };
    const proposal = standingRestart.propose(
      kubelet('v1.36.1'),
      cluster,
      { ...diagnosis, findings: [leaky] },
      group(),
    );
    expect(proposal).toMatchObject({
      reason: expect.stringContaining('A fix is known, and not in use here: an AMI with kubelet 1.36.3'),
    });
  });

  it.each([
    ['fewer were helped', group({ pasts: helped(2) }), '2 times in 7 days, and it is offered from 3 on'],
    ['they were of another cause', group({ pasts: helped(3, { cause: 'kubelet-oom-cycle' }) }), '0 times'],
    [
      'something else helped them',
      group({ pasts: helped(3, { done: [{ treatment: 'replace-node', came: 'cured' }] }) }),
      '0 times',
    ],
    ['there is one already', group({ standing: 'that of ana' }), 'there is one already: that of ana'],
    ['nobody knows the group', group({ nodeGroup: 'unknown' }), 'name no group'],
    ['the table does not answer', { gap: 'the table is away' }, 'the table is away'],
    ['nothing was asked', undefined, 'not known here'],
  ] as const)('is not offered where %s', (_, known, why) => {
    expect(propose(known)).toEqual({ nothing: expect.stringContaining(why) });
  });

  it('is not offered where there is no maintenance window, or no census', () => {
    expect(propose(group(), without)).toEqual({ nothing: expect.stringContaining('this cluster has none') });
    const silent = { ...cluster, census: { ...cluster.census, enabled: false } };
    expect(propose(group(), silent)).toEqual({ nothing: expect.stringContaining('raise nothing') });
  });
});
