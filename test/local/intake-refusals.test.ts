import { describe, expect, it, vi } from 'vitest';
import type { Disturbance } from '../../local/cloud/cloud.ts';
import { drainQueue, emit } from '../../local/engine/queues.ts';
import { payload } from '../intake-payloads/payloads.ts';
import { clusters } from './test-engine.ts';
import { useTestIntake } from './use-test-intake.ts';

// Whole functions, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const intake = useTestIntake();
const { alarms, attach, byHand, counting, entries, output, send, startedFor } = intake;

describe('nothing is started, and the refusal is counted and written down, for an alarm', () => {
  const far = new Date(Date.now() - 30 * 86_400_000);
  const edited = (
    node: Parameters<typeof payload>[1],
    change: (event: ReturnType<typeof payload>) => void,
  ) => {
    const event = payload('cloudwatch-instance', node);
    change(event);
    return event;
  };
  type Node = Awaited<ReturnType<typeof attach>>;
  let shared: Node | undefined;
  const cases: [what: string, reason: string, body: (node: Node) => unknown][] = [
    ['that is no JSON', 'malformed', () => 'ALARM: "dying" in EU'],
    ['without a state', 'malformed', (node) => edited(node, (event) => delete event.detail.state)],
    [
      'in no known state',
      'malformed',
      (node) => edited(node, (event) => (event.detail.state.value = 'INSUFFICIENT_DATA')),
    ],
    [
      'that is larger than the queue should hold',
      'oversized',
      (node) => edited(node, (event) => (event.pad = 'x'.repeat(262_144))),
    ],
    [
      'of a source that there is not',
      'unknown-source',
      (node) => ({ source: 'pagerduty', payload: payload('census', node) }),
    ],
    [
      'of a person in the queue of services',
      'forged',
      (node) => ({ source: 'by-hand', payload: payload('by-hand', node) }),
    ],
    [
      'of a topic that is another',
      'forged',
      (node) => ({
        Type: 'Notification',
        TopicArn: 'arn:aws:sns:us-east-1:000000000000:other',
        Message: payload('amp', node),
      }),
    ],
    ['of a month ago', 'stale', (node) => payload('cloudwatch-instance', { ...node, at: far })],
    [
      'that is still to come',
      'stale',
      (node) => payload('cloudwatch-instance', { ...node, at: new Date(Date.now() + 3_600_000) }),
    ],
    [
      'that somebody has muted',
      'muted',
      (node) =>
        edited(
          node,
          (event) =>
            (event.detail.muteDetail = {
              mutedByArn: 'arn:aws:cloudwatch:us-east-1:000000000000:alarm-mute-rule:night',
            }),
        ),
    ],
    [
      'without a node',
      'no-node',
      (node) =>
        edited(
          node,
          (event) =>
            (event.detail.configuration.metrics[0].metricStat.metric.dimensions = {
              ClusterName: node.cluster,
            }),
        ),
    ],
    [
      'of an instance that there is not',
      'unknown-instance',
      (node) => payload('cloudwatch-instance', { ...node, instanceId: 'i-0deadbeef0deadbee' }),
    ],
    [
      'of a node that there is not',
      'unknown-instance',
      (node) => payload('cloudwatch-node', { ...node, nodeName: 'nowhere.example.com' }),
    ],
    [
      'of a cluster that is not configured',
      'unknown-cluster',
      (node) => payload('cloudwatch-instance', { ...node, cluster: 'elsewhere' }),
    ],
    [
      'of a cluster that the node does not belong to',
      'wrong-cluster',
      (node) => payload('cloudwatch-instance', { ...node, cluster: clusters.auto }),
    ],
  ];
  it.each(cases)('%s: %s', async (_, reason, body) => {
    shared ??= await attach('healthy');
    const node = { ...shared, at: new Date() };
    const before = intake.engine.executions.all().length;
    send(alarms(), body(node));
    const counts = await counting(async () => {
      expect(await drainQueue(intake.engine, alarms())).toEqual({ done: 1, left: 0, dead: 0 });
    });

    expect(counts).toEqual({ [`AlarmsRefused ${reason}`]: 1 });
    expect(intake.engine.executions.all()).toHaveLength(before);
    const [entry, ...more] = entries();
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      version: 1,
      kind: 'alarm.refused',
      reason,
      what: expect.stringMatching(/\S.{10,}/),
    });
  });

  it('of an instance without the tag of a cluster, or with that of one that is not configured', async () => {
    const [none, other] = [
      await attach('healthy', { tags: {} }),
      await attach('healthy', { cluster: 'elsewhere' }),
    ];
    for (const node of [none, other]) {
      const event = payload('cloudwatch-instance', node);
      delete event.detail.configuration.metrics[0].metricStat.metric.dimensions.ClusterName;
      send(alarms(), event);
    }

    expect(await counting(() => drainQueue(intake.engine, alarms()))).toEqual({
      'AlarmsRefused unknown-cluster': 2,
    });
    expect([...startedFor(none.instanceId), ...startedFor(other.instanceId)]).toEqual([]);
    expect(entries().map(({ what }) => what)).toEqual([
      expect.stringContaining('has no tag eks:cluster-name'),
      expect.stringContaining('is a node of "elsewhere", which is not configured'),
    ]);
  });

  it('of a service in the queue of people', async () => {
    const node = await attach('healthy');
    send(byHand(), payload('cloudwatch-instance', node));

    expect(await counting(() => drainQueue(intake.engine, byHand()))).toEqual({ 'AlarmsRefused forged': 1 });
    expect(startedFor(node.instanceId)).toEqual([]);
  });

  it('whose name CloudWatch rules do not match: it does not even reach the queue', async () => {
    const node = await attach('healthy');
    const event = payload('cloudwatch-instance', node);
    event.detail.alarmName = `somebody-elses-${node.instanceId}`;

    expect(await emit(intake.engine, event)).toEqual([]);
    expect(intake.engine.cloud.queues.take(alarms())).toEqual([]);
  });
});

describe('a batch', () => {
  it('loses nothing for one bad message: the good ones start, and only what may pass stays in the queue', async () => {
    const good = await attach('healthy');
    // EKS does not know this cluster, so that nobody can say which instance the node is: that may pass.
    const unasked = { ...good, cluster: clusters.unknown, nodeName: 'who-knows.example.com' };
    send(alarms(), 'rubbish');
    send(alarms(), { source: 'census', payload: payload('census', good) });

    expect(await drainQueue(intake.engine, alarms())).toEqual({ done: 2, left: 0, dead: 0 });
    expect(startedFor(good.instanceId)).toHaveLength(1);

    const other = await attach('healthy');
    send(alarms(), 'rubbish');
    send(alarms(), payload('cloudwatch-node', unasked));
    send(alarms(), payload('cloudwatch-instance', other));
    expect(await drainQueue(intake.engine, alarms())).toEqual({ done: 2, left: 1, dead: 0 });
    expect(startedFor(other.instanceId)).toHaveLength(1);
    for (let again = 0; again < 3; again += 1) {
      expect(await drainQueue(intake.engine, alarms())).toEqual({ done: 0, left: 1, dead: 0 });
    }
    expect(await drainQueue(intake.engine, alarms())).toEqual({ done: 0, left: 0, dead: 1 });
    const [dead] = intake.engine.cloud.queues.take(output('IntakeDeadLettersUrl'));
    expect(dead?.body).toContain('who-knows.example.com');
  });

  it('with a group of a hundred alerts that are for others writes all of them down in one call', async () => {
    const group = payload('alertmanager');
    const [alert] = group.alerts;
    const foreign = { ...alert, labels: { ...alert.labels, cgroup_medic: undefined } };
    group.alerts = Array.from({ length: 100 }, () => foreign);
    // Incidents that other tests have started may write their own entries meanwhile.
    let writes = 0;
    const count: Disturbance = ({ call, body }) => {
      const isOurs = () => String(JSON.parse(body.toString('utf8')).logStreamName).startsWith('alarms-');
      if (call === 'PutLogEvents' && isOurs()) writes += 1;
      return undefined;
    };
    // The first line of the day makes the stream, which takes calls of its own.
    send(alarms(), 'rubbish');
    expect(await counting(() => drainQueue(intake.engine, alarms()))).toEqual({
      'AlarmsRefused malformed': 1,
    });
    intake.engine.cloud.disturbances.add(count);
    send(alarms(), { source: 'alertmanager', payload: group });

    expect(await counting(() => drainQueue(intake.engine, alarms()))).toEqual({
      'AlarmsRefused not-for-us': 100,
    });
    expect(entries()).toHaveLength(101);
    intake.engine.cloud.disturbances.delete(count);
    expect(writes).toBe(1);
  });

  it('with a group of which one node cannot be found now starts the others at once, and once', async () => {
    const good = await attach('v2-trend', { nodeName: 'ip-10-0-1-26.ec2.internal' });
    const group = payload('alertmanager', good);
    const [alert] = group.alerts;
    const unasked = { ...alert.labels, cluster: clusters.unknown, node: 'who-knows.example.com' };
    const misnamed = { ...alert.labels, node: undefined };
    group.alerts = [alert, { ...alert, labels: unasked }, { ...alert, labels: misnamed }];
    send(alarms(), { source: 'alertmanager', payload: group });

    const first = await counting(() => drainQueue(intake.engine, alarms()));
    expect(first).toEqual({ AlarmsAccepted: 1 });
    expect(startedFor(good.instanceId)).toHaveLength(1);
    await startedFor(good.instanceId)[0]?.ended;
    // What is refused is written down once, when the message is done with.
    expect(await counting(() => drainQueue(intake.engine, alarms()))).toEqual({ AlarmsRepeated: 1 });
    expect(entries()).toEqual([]);
    expect(startedFor(good.instanceId)).toHaveLength(1);
    intake.engine.cloud.queues.take(alarms());
  });
});
