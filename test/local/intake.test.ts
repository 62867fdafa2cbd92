import { describe, expect, it, vi } from 'vitest';
import { intakePace } from '../../lambdas/domain/intake/pace.ts';
import { drainQueue, emit, notify } from '../../local/engine/queues.ts';
import { payload } from '../intake-payloads/payloads.ts';
import { clusters } from './test-engine.ts';
import { useTestIntake } from './use-test-intake.ts';

// Whole functions, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const intake = useTestIntake();
const { alarms, attach, audit, byHand, counting, entries, output, post, send, startedFor } = intake;

describe('an alarm becomes an incident', () => {
  it('of CloudWatch, by EventBridge: with the id of an instance', async () => {
    const node = await attach('healthy');
    const event = payload('cloudwatch-instance', node);
    const counts = await counting(async () => {
      expect(await emit(intake.engine, event)).toMatchObject([{ tries: 1 }]);
      expect(await drainQueue(intake.engine, alarms())).toEqual({ done: 1, left: 0, dead: 0 });
    });

    expect(counts).toEqual({ AlarmsAccepted: 1 });
    const [started, ...more] = startedFor(node.instanceId);
    expect(more).toEqual([]);
    expect(started?.input).toEqual({
      source: 'cloudwatch',
      id: event.id,
      at: node.at.toISOString(),
      cluster: clusters.observe,
      instanceId: node.instanceId,
      reason: expect.stringContaining('was greater than the threshold (2000.0)'),
    });
    expect(await started?.ended).toMatchObject({
      status: 'SUCCEEDED',
      output: { lease: { status: 'ours' } },
    });
    expect(intake.engine.cloud.unanswered).toEqual([]);
  });

  it('at a pace that EC2 can follow: a full batch, of which there may be more, is not over within a second', async () => {
    const { instanceId } = await attach('healthy');
    const finding = (index: number) => ({
      source: 'census',
      received: new Date().toISOString(),
      payload: {
        cluster: clusters.observe,
        instanceId,
        at: new Date().toISOString(),
        reason: `finding ${index}`,
      },
    });
    const started = performance.now();
    for (let index = 0; index < intakePace.batch; index += 1) send(alarms(), finding(index));
    expect(await drainQueue(intake.engine, alarms())).toMatchObject({ done: intakePace.batch });
    expect(performance.now() - started).toBeGreaterThanOrEqual(intakePace.batchSeconds * 1000);
    expect(startedFor(instanceId)).toHaveLength(1);
  });

  it('of Container Insights, with the name of a node as EC2 has it', async () => {
    const node = await attach('v2-trend', { nodeName: 'ip-10-0-1-23.ec2.internal' });
    const counts = await counting(async () => {
      await emit(intake.engine, payload('cloudwatch-node', node));
      await drainQueue(intake.engine, alarms());
    });

    expect(counts).toEqual({ AlarmsAccepted: 1 });
    expect(startedFor(node.instanceId)).toMatchObject([
      { input: { source: 'cloudwatch', instanceId: node.instanceId } },
    ]);
  });

  it('of one series of a query', async () => {
    const node = await attach('healthy');
    const counts = await counting(async () => {
      await emit(intake.engine, payload('cloudwatch-contributor', node));
      // The alarm itself only says how many of them there are.
      await emit(intake.engine, payload('cloudwatch-contributors', node));
      await drainQueue(intake.engine, alarms());
    });

    expect(counts).toEqual({ AlarmsAccepted: 1, 'AlarmsRefused comes-apart': 1 });
    expect(startedFor(node.instanceId)).toHaveLength(1);
  });

  it('of a composite alarm: one for each that has triggered it, by what CloudWatch says of that', async () => {
    const node = await attach('healthy');
    intake.engine.cloud.alarms.push({
      AlarmName: 'dying-a',
      MetricName: 'DyingCgroups',
      Namespace: 'CgroupMedic',
      Dimensions: [
        { Name: 'ClusterName', Value: node.cluster },
        { Name: 'InstanceId', Value: node.instanceId },
      ],
    });
    const counts = await counting(async () => {
      await emit(intake.engine, payload('cloudwatch-composite', node));
      await drainQueue(intake.engine, alarms());
    });

    expect(counts).toEqual({ AlarmsAccepted: 1 });
    expect(startedFor(node.instanceId)).toMatchObject([
      { input: { source: 'cloudwatch', cluster: node.cluster } },
    ]);
  });

  it('of Amazon Managed Prometheus, by its topic', async () => {
    const node = await attach('v2-trend', { nodeName: 'ip-10-0-1-24.ec2.internal' });
    const counts = await counting(async () => {
      expect(notify(intake.engine, output('PrometheusTopicArn'), payload('amp', node))).toBe(1);
      await drainQueue(intake.engine, alarms());
    });

    expect(counts).toEqual({ AlarmsAccepted: 1 });
    expect(startedFor(node.instanceId)).toMatchObject([
      {
        input: { source: 'amp', at: node.at.toISOString(), id: expect.stringContaining('2b30ba71cca29220@') },
      },
    ]);
  });

  it('of an Alertmanager, by the webhook; a node that EC2 has by another name is found by its provider id', async () => {
    const node = await attach('v2-trend', {
      cluster: clusters.asked,
      nodeName: 'worker-7.example.com',
      privateDnsName: 'ip-10-0-1-25.ec2.internal',
    });
    const counts = await counting(async () => {
      const answer = await post(payload('alertmanager', node));
      expect(answer.status).toBe(202);
      await drainQueue(intake.engine, alarms());
    });

    expect(counts).toEqual({ AlarmsAccepted: 1 });
    expect(startedFor(node.instanceId)).toMatchObject([
      {
        input: {
          source: 'alertmanager',
          cluster: clusters.asked,
          reason: expect.stringContaining('8412 dying'),
        },
      },
    ]);
  });

  it('of the census', async () => {
    const node = await attach('healthy');
    const received = new Date().toISOString();
    send(alarms(), { source: 'census', received, payload: payload('census', node) });

    expect(await counting(() => drainQueue(intake.engine, alarms()))).toEqual({ AlarmsAccepted: 1 });
    expect(startedFor(node.instanceId)).toMatchObject([
      { input: { source: 'census', cluster: node.cluster } },
    ]);
  });

  it('of a person, who is whoever AWS says has sent the message', async () => {
    const node = await attach('healthy');
    intake.engine.cloud.queues.put({
      queueUrl: byHand(),
      body: JSON.stringify({
        source: 'by-hand',
        payload: { ...payload('by-hand', node), requestedBy: 'mallory', senderId: 'mallory' },
      }),
      senderId: 'AROAEXAMPLE:alice@example.com',
    });

    expect(await counting(() => drainQueue(intake.engine, byHand()))).toEqual({ AlarmsAccepted: 1 });
    const [started] = startedFor(node.instanceId);
    expect(started).toMatchObject({
      input: {
        source: 'by-hand',
        requestedBy: 'AROAEXAMPLE:alice@example.com',
        reason: 'asked for by hand: slow since noon',
      },
    });
    await started?.ended;
    const opened = audit
      .map(({ message }) => JSON.parse(message))
      .find(({ step, incident }) => step === 'incident.opened' && incident === started?.name);
    expect(opened.actor).toEqual({ kind: 'person', id: 'AROAEXAMPLE:alice@example.com' });
  });
});

describe('the same alarm', () => {
  it('starts one incident, however often and in whichever batch it comes', async () => {
    const node = await attach('healthy');
    const event = payload('cloudwatch-instance', node);
    await emit(intake.engine, event);
    await emit(intake.engine, event);
    await drainQueue(intake.engine, alarms());
    await startedFor(node.instanceId)[0]?.ended;
    await emit(intake.engine, event);

    expect(await counting(() => drainQueue(intake.engine, alarms()))).toEqual({ AlarmsRepeated: 1 });
    expect(startedFor(node.instanceId)).toHaveLength(1);
  });

  it('starts another one when it has gone off once more', async () => {
    const node = await attach('healthy');
    await emit(intake.engine, payload('cloudwatch-instance', node));
    await emit(
      intake.engine,
      payload('cloudwatch-instance', { ...node, at: new Date(node.at.getTime() - 60_000) }),
    );
    await drainQueue(intake.engine, alarms());

    expect(startedFor(node.instanceId)).toHaveLength(2);
  });

  it('that has ended closes nothing, and is written down', async () => {
    const node = await attach('healthy');
    const event = payload('cloudwatch-instance', node);
    event.detail.state.value = 'OK';
    await emit(intake.engine, event);

    expect(await counting(() => drainQueue(intake.engine, alarms()))).toEqual({ AlarmsResolved: 1 });
    expect(startedFor(node.instanceId)).toEqual([]);
    expect(entries()).toMatchObject([
      {
        kind: 'alarm.resolved',
        source: 'cloudwatch',
        eventId: event.id,
        target: { instanceId: node.instanceId },
      },
    ]);
  });
});
