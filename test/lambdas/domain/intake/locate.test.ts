import { describe, expect, it } from 'vitest';
import { alarmOf, executionName } from '../../../../lambdas/domain/intake/execution.ts';
import { type KnownInstance, locate, type NodeAlarm } from '../../../../lambdas/domain/intake/locate.ts';

const instanceId = 'i-0123456789abcdef0';
const other = 'i-0deadbeef0deadbee';
const clusters = ['prod', 'stage'];
const alarm: NodeAlarm = {
  source: 'cloudwatch',
  eventId: 'event-1',
  at: '2026-11-21T06:30:00.000Z',
  state: 'firing',
  target: { instanceId },
  reason: 'dying',
};
const known: KnownInstance = {
  instanceId,
  state: 'running',
  cluster: 'prod',
  nodeNames: ['ip-10-0-1-23.ec2.internal'],
};
const byName: NodeAlarm = { ...alarm, target: { nodeName: 'ip-10-0-1-23.ec2.internal' } };

describe('an alarm', () => {
  it.each([
    ['with the id of an instance', alarm],
    ['that says its cluster as well', { ...alarm, cluster: 'prod' }],
    ['with the name of a node', byName],
    ['with the name of a node and its cluster', { ...byName, cluster: 'prod' }],
    ['of a node that is called by the id of its instance', { ...alarm, target: { nodeName: instanceId } }],
  ] as [string, NodeAlarm][])('%s is about that instance, in the cluster that its tag says', (_, given) => {
    expect(locate(given, [known], clusters)).toEqual({ alarm: given, instanceId, cluster: 'prod' });
  });

  it.each([
    ['nobody knows the instance', 'unknown-instance', alarm, []],
    ['nobody knows the node', 'unknown-instance', byName, []],
    ['the instance is another one', 'unknown-instance', alarm, [{ ...known, instanceId: other }]],
    [
      'the node has a longer name',
      'unknown-instance',
      byName,
      [{ ...known, nodeNames: ['ip-10-0-1-23.ec2.internal.example.com'] }],
    ],
    ['it does not run any more', 'unknown-instance', alarm, [{ ...known, state: 'terminated' }]],
    ['the node does not run any more', 'unknown-instance', byName, [{ ...known, state: 'stopped' }]],
    [
      'it has no tag of a cluster',
      'unknown-cluster',
      alarm,
      [{ instanceId, state: 'running', nodeNames: [] }],
    ],
    ['it is of a cluster that is not configured', 'unknown-cluster', alarm, [{ ...known, cluster: 'other' }]],
    [
      'it names a cluster that is not configured',
      'unknown-cluster',
      { ...alarm, cluster: 'other' },
      [{ ...known, cluster: 'other' }],
    ],
    ['it names another configured cluster', 'wrong-cluster', { ...alarm, cluster: 'stage' }, [known]],
    [
      'the node of that name is in another cluster',
      'unknown-instance',
      { ...byName, cluster: 'stage' },
      [known],
    ],
    [
      'two clusters have a node of that name',
      'ambiguous-node',
      byName,
      [known, { ...known, instanceId: other, cluster: 'stage' }],
    ],
    [
      'two instances have that name',
      'ambiguous-node',
      { ...byName, cluster: 'prod' },
      [known, { ...known, instanceId: other }],
    ],
  ] as [string, string, NodeAlarm, KnownInstance[]][])(
    'is refused where %s: %s',
    (_, reason, given, instances) => {
      expect(locate(given, instances, clusters)).toMatchObject({
        reason,
        sentence: expect.stringMatching(/\S/),
      });
    },
  );

  it('of a node whose name an instance had that is gone is about the one that runs', () => {
    const gone = { ...known, instanceId: other, state: 'terminated' };
    expect(locate(byName, [gone, known], clusters)).toMatchObject({ instanceId });
  });

  it('of one of two nodes of the same name is told apart by its cluster', () => {
    const instances = [known, { ...known, instanceId: other, cluster: 'stage' }];
    expect(locate({ ...byName, cluster: 'stage' }, instances, clusters)).toMatchObject({ instanceId: other });
  });
});

describe('an incident', () => {
  const located = { alarm, instanceId, cluster: 'prod' };

  it('is named by the instance, the event and when it came to this state', () => {
    const name = executionName(located);
    expect(name).toMatch(/^i-0123456789abcdef0-[0-9a-f]{32}$/);
    expect(executionName({ ...located, cluster: 'stage' })).toBe(name);
    const others = [
      { ...located, instanceId: other },
      { ...located, alarm: { ...alarm, eventId: 'event-2' } },
      { ...located, alarm: { ...alarm, at: '2026-11-21T06:30:00.001Z' } },
      { ...located, alarm: { ...alarm, source: 'census' as const } },
    ].map(executionName);
    expect(new Set([name, ...others]).size).toBe(5);
  });

  it('begins with the same alarm, whenever the event is read', () => {
    expect(alarmOf(located)).toEqual({
      source: 'cloudwatch',
      id: 'event-1',
      at: '2026-11-21T06:30:00.000Z',
      cluster: 'prod',
      instanceId,
      reason: 'dying',
    });
    expect(alarmOf({ ...located, alarm: { ...alarm, requestedBy: 'AIDAALICE' } })).toMatchObject({
      requestedBy: 'AIDAALICE',
    });
  });
});
