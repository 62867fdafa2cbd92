import { describe, expect, it } from 'vitest';
import { Settings } from '../../../lambdas/domain/settings.ts';
import { shipped } from '../../../local/local-settings.ts';
import { profilesOf, project, type Visit } from '../../../local/storm/projection.ts';

const { command } = Settings.parse({ clusters: { any: {} } });
const deployed = { cluster: shipped(), command };
const visit = (state: string, type = 'Task', ms = 0): Visit => ({ state, type, enteredAt: 0, exitedAt: ms });
const times = (visits: Visit[][], mean = 1) =>
  project({
    visits: new Map(visits.map((own, index) => [`inc-${index}`, own])),
    functions: new Map([
      ['Look', 'look'],
      ['RequestApproval', 'request-approval'],
    ]),
    profiles: new Map([['look', { invocations: 1, calls: new Map([['ec2:X', mean]]) }]]),
    deployed,
  })
    .filter(({ call }) => call === 'ec2:X')
    .map(({ at }) => Math.round(at * 100) / 100);

describe('the profile of a function', () => {
  it('is what its processes called while they served it, and nothing of others', () => {
    const call = (accessKey: string, ms: number) => ({
      service: 'ec2',
      call: 'X',
      accessKey,
      at: new Date(ms),
    });
    const profiles = profilesOf(
      [
        { name: 'look', accessKey: 'A', startedAt: 0, endedAt: 10 },
        { name: 'look', accessKey: 'B', startedAt: 0, endedAt: 10 },
        { name: 'idle', accessKey: 'C', startedAt: 0, endedAt: 10 },
      ],
      [call('A', 1), call('A', 9), call('B', 5), call('A', 11), call('D', 5)],
    );
    expect(profiles).toEqual(
      new Map([
        ['look', { invocations: 2, calls: new Map([['ec2:X', 1.5]]) }],
        ['idle', { invocations: 1, calls: new Map() }],
      ]),
    );
  });
});

describe('a projection', () => {
  it('waits as long as the deployed settings say, and not as long as here', () => {
    // A transition, then its call; a function and two transitions more; a wait.
    expect(
      times([
        [
          visit('Look'),
          visit('WaitForExamine', 'Wait', 50),
          visit('Look'),
          visit('WaitForExamine', 'Wait', 50),
          visit('Look'),
        ],
      ]),
    ).toEqual([0.1, 2.45, 6.8]);
    const sampled = [
      visit('RecordTreatment'),
      visit('WaitForSample', 'Wait', 1),
      visit('Look'),
      visit('WaitForSample', 'Wait', 1),
      visit('Look'),
    ];
    expect(times([sampled])).toEqual([60.3, 168.65]);
    expect(times([[visit('WaitAtGate', 'Wait', 2000), visit('Look')]])).toEqual([60.2]);
  });

  it('is as quick as the people here were', () => {
    expect(times([[visit('RequestApproval', 'Task', 7000), visit('Look')]])).toEqual([7.35]);
  });

  it('starts twenty incidents a second, and makes as many calls in all as were made', () => {
    const look = [visit('Look')];
    const all = times(
      Array.from({ length: 100 }, () => look),
      0.3,
    );
    expect(all).toHaveLength(30);
    expect(all.at(-1)).toBe(5.05);
  });
});
