import { describe, expect, it } from 'vitest';
import { turnsOf } from '../../../../lambdas/domain/census/standing-turns.ts';
import { emptyTally, withStanding } from '../../../../lambdas/domain/census/tally.ts';
import { Settings } from '../../../../lambdas/domain/settings.ts';
import { atOnceOf } from '../../../../lambdas/domain/standing/course.ts';
import { whyNotNow } from '../../../../lambdas/domain/standing/restart-due.ts';
import { missing } from '../sample-evidence.ts';
import { evidenceOfKubelet, looked } from './sample-kubelet.ts';
import { sampleStanding } from './sample-standing.ts';

const clusterWith = (days: string[]) => {
  const open = [{ days, start: '06:00', end: '07:00', timeZone: 'Etc/UTC' }];
  const { prod } = Settings.parse({ clusters: { prod: { gates: { windows: { open } } } } }).clusters;
  if (prod === undefined) throw new Error('no settings');
  return prod;
};
/** The look is on a Saturday at 06:30. */
const nightly = clusterWith(['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']);
const onSundays = clusterWith(['SUN']);
const standing = sampleStanding({ treatment: 'standing-restart', cause: 'kubelet-leak', threshold: 2048 });
const nodeOf = (index: number) => `i-${String(index).padStart(17, '0')}`;

describe('whose kubelet is restarted', () => {
  it('is one that is full before the next window and a day more', () => {
    expect(whyNotNow(standing, evidenceOfKubelet({ nowMb: 1500 }), nightly, looked)).toBeUndefined();
    expect(whyNotNow(standing, evidenceOfKubelet({ nowMb: 500, perDayMb: 150 }), nightly, looked)).toContain(
      'there is time until',
    );
  });

  it('is of one node of a group at a time, whatever the settings say of reclaim', () => {
    expect(atOnceOf('standing-restart', { nodesAtOnce: 5 })).toBe(1);
    expect(atOnceOf('standing-reclaim', { nodesAtOnce: 5 })).toBe(5);
  });

  it('is none outside of a window, however full, and none without a course', () => {
    expect(whyNotNow(standing, evidenceOfKubelet({ nowMb: 5000 }), onSundays, looked)).toContain(
      'no maintenance window is open',
    );
    expect(whyNotNow(standing, evidenceOfKubelet({}, { history: missing }), nightly, looked)).toContain(
      'no course of its kubelet is known',
    );
    expect(whyNotNow(standing, evidenceOfKubelet({ perDayMb: 0 }), nightly, looked)).toContain('are a leak');
    expect(whyNotNow(standing, undefined, nightly, looked)).toContain('no evidence');
  });
});

describe('what a run of the census sees of the kubelets of a group', () => {
  const nodes = [
    evidenceOfKubelet({ nowMb: 1200 }),
    evidenceOfKubelet({ nowMb: 1900 }),
    evidenceOfKubelet({ nowMb: 400, perDayMb: 120 }),
    evidenceOfKubelet({ nowMb: 300, perDayMb: 0 }),
    evidenceOfKubelet({ startedNow: 90_000_000 }),
    evidenceOfKubelet({ nowMb: 2500, hours: 3 }),
  ];
  const tally = nodes.reduce(
    (present, evidence, index) => withStanding(present, nodeOf(index), standing, evidence, nightly),
    emptyTally,
  );
  const names = (cluster = nightly, of: Pick<typeof tally, 'standing' | 'restarts' | 'candidates'> = tally) =>
    turnsOf(standing, of, cluster, looked).nodes.map(({ instanceId }) => instanceId);

  it('are those whose course is known, those that are full, and those of which nobody knows', () => {
    const { look, nodes: due } = turnsOf(standing, tally, nightly, looked);
    expect(look).toMatchObject({ looks: 5, over: 1, unseen: 1, max: 2500 });
    expect(look.whyUnseen).toContain(`${nodeOf(4)}: there are`);
    expect(due[0]?.reason).toMatch(
      /^its kubelet holds 1900 MB and grows by \d+ MB a day: .* the turn of standing-restart/,
    );
  });

  it('has the most urgent first, those that have time not at all, and nobody outside of a window', () => {
    expect(names()).toEqual([nodeOf(1), nodeOf(0)]);
    expect(names(onSundays)).toEqual([]);
  });

  it('leaves out who is ill in another way, and not who leaks', () => {
    const candidate = { instanceId: nodeOf(1), confidence: 0.9, dying: null };
    const with_ = (cause: 'dying-memcgs' | 'kubelet-leak') => ({
      ...tally,
      candidates: [{ ...candidate, cause }],
    });
    expect(names(nightly, with_('dying-memcgs'))).toEqual([nodeOf(0)]);
    expect(names(nightly, with_('kubelet-leak'))).toEqual([nodeOf(1), nodeOf(0)]);
  });

  it('is of another group where that has another one', () => {
    expect(turnsOf({ ...standing, id: 'other' }, tally, nightly, looked)).toMatchObject({
      look: { looks: 0, unseen: 0 },
      nodes: [],
    });
  });
});
