import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogLine } from '../../local/cloud/cloudwatch-logs.ts';
import type { ManagedNode } from '../../local/cloud/ssm.ts';
import { type LocalUrl, serveFunctionUrl } from '../../local/engine/function-url.ts';
import { drainQueue, emit, notify } from '../../local/engine/queues.ts';
import { openNode } from '../../local/local-node.ts';
import { payload } from '../intake-payloads/payloads.ts';
import { clusters, startTestEngine, type TestEngine } from './test-engine.ts';

// Whole functions, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let test: TestEngine;
let webhook: LocalUrl;
const audit: LogLine[] = [];
beforeAll(async () => {
  test = await startTestEngine();
  webhook = await serveFunctionUrl(test.engine, 'CgroupMedic-webhook');
  const { AuditLogGroupName } = test.engine.stack.outputs;
  test.engine.onLogLine((line) => {
    if (line.group === AuditLogGroupName) audit.push(line);
  });
});
afterAll(async () => {
  await webhook?.close();
  await test?.close();
});
beforeEach(() => {
  audit.length = 0;
});

let count = 0;

/** A node of a cluster that observes, which lives until the end of this file. */
async function attach(
  name: string,
  {
    cluster = clusters.observe,
    nodeName,
    ...more
  }: { cluster?: string; nodeName?: string } & Partial<ManagedNode> = {},
) {
  count += 1;
  const instanceId = `i-${createHash('sha256').update(`${process.pid} ${count}`).digest('hex').slice(0, 17)}`;
  const { managed } = await openNode({ name, id: `intake-${count}`, directory: test.home });
  const around = structuredClone(managed.around);
  if (around?.cluster !== undefined && nodeName !== undefined) around.cluster.node.metadata.name = nodeName;
  test.engine.cloud.ssm.attach({
    ...managed,
    ...(around === undefined ? {} : { around }),
    instanceId,
    tags: { 'eks:cluster-name': cluster },
    ...more,
  });
  return { instanceId, nodeName: nodeName ?? 'nobody.example', cluster, at: new Date() };
}

const output = (name: string): string => test.engine.stack.outputs[name] ?? '';
const queueNamed = (id: string): string =>
  test.engine.stack.queues.find(({ logicalId }) => logicalId.startsWith(id))?.url ?? '';
const alarms = () => queueNamed('IntakeAlarms');
const byHand = () => queueNamed('IntakeByHand');

/** What was started for one instance. */
const startedFor = (instanceId: string) =>
  test.engine.executions.all().filter(({ name }) => name.startsWith(`${instanceId}-`));

/** How often each metric was counted until now, by name and reason. */
function counted(): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const line of readFileSync(join(test.home, 'functions.log'), 'utf8').split('\n')) {
    if (!line.startsWith('{"_aws"')) continue;
    const { _aws, ...metric } = JSON.parse(line);
    const [{ Namespace, Metrics }] = _aws.CloudWatchMetrics;
    expect(Namespace).toBe('CgroupMedic');
    const { Name } = Metrics[0];
    const key = metric.Reason === undefined ? Name : `${Name} ${metric.Reason}`;
    sums[key] = (sums[key] ?? 0) + metric[Name];
  }
  return sums;
}

/** What `act` has counted. */
async function counting(act: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = counted();
  await act();
  const after = Object.entries(counted()).map(([key, value]) => [key, value - (before[key] ?? 0)] as const);
  return Object.fromEntries(after.filter(([, value]) => value !== 0));
}

const send = (queueUrl: string, body: unknown) =>
  test.engine.cloud.queues.put({ queueUrl, body: typeof body === 'string' ? body : JSON.stringify(body) });

describe('an alarm becomes an incident', () => {
  it('of CloudWatch, by EventBridge: with the id of an instance', async () => {
    const node = await attach('healthy');
    const event = payload('cloudwatch-instance', node);
    const counts = await counting(async () => {
      expect(await emit(test.engine, event)).toMatchObject([{ tries: 1 }]);
      expect(await drainQueue(test.engine, alarms())).toEqual({ done: 1, left: 0, dead: 0 });
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
    expect(test.engine.cloud.unanswered).toEqual([]);
  });

  it('of Container Insights, with the name of a node as EC2 has it', async () => {
    const node = await attach('v2-trend', { nodeName: 'ip-10-0-1-23.ec2.internal' });
    const counts = await counting(async () => {
      await emit(test.engine, payload('cloudwatch-node', node));
      await drainQueue(test.engine, alarms());
    });

    expect(counts).toEqual({ AlarmsAccepted: 1 });
    expect(startedFor(node.instanceId)).toMatchObject([
      { input: { source: 'cloudwatch', instanceId: node.instanceId } },
    ]);
  });

  it('of one series of a query', async () => {
    const node = await attach('healthy');
    const counts = await counting(async () => {
      await emit(test.engine, payload('cloudwatch-contributor', node));
      // The alarm itself only says how many of them there are.
      await emit(test.engine, payload('cloudwatch-contributors', node));
      await drainQueue(test.engine, alarms());
    });

    expect(counts).toEqual({ AlarmsAccepted: 1, 'AlarmsRefused comes-apart': 1 });
    expect(startedFor(node.instanceId)).toHaveLength(1);
  });

  it('of a composite alarm: one for each that has triggered it, by what CloudWatch says of that', async () => {
    const node = await attach('healthy');
    test.engine.cloud.alarms.push({
      AlarmName: 'dying-a',
      MetricName: 'DyingCgroups',
      Namespace: 'CgroupMedic',
      Dimensions: [
        { Name: 'ClusterName', Value: node.cluster },
        { Name: 'InstanceId', Value: node.instanceId },
      ],
    });
    const counts = await counting(async () => {
      await emit(test.engine, payload('cloudwatch-composite', node));
      await drainQueue(test.engine, alarms());
    });

    expect(counts).toEqual({ AlarmsAccepted: 1 });
    expect(startedFor(node.instanceId)).toMatchObject([
      { input: { source: 'cloudwatch', cluster: node.cluster } },
    ]);
  });

  it('of Amazon Managed Prometheus, by its topic', async () => {
    const node = await attach('v2-trend', { nodeName: 'ip-10-0-1-24.ec2.internal' });
    const counts = await counting(async () => {
      expect(notify(test.engine, output('PrometheusTopicArn'), payload('amp', node))).toBe(1);
      await drainQueue(test.engine, alarms());
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
      await drainQueue(test.engine, alarms());
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

    expect(await counting(() => drainQueue(test.engine, alarms()))).toEqual({ AlarmsAccepted: 1 });
    expect(startedFor(node.instanceId)).toMatchObject([
      { input: { source: 'census', cluster: node.cluster } },
    ]);
  });

  it('of a person, who is whoever AWS says has sent the message', async () => {
    const node = await attach('healthy');
    test.engine.cloud.queues.put({
      queueUrl: byHand(),
      body: JSON.stringify({
        source: 'by-hand',
        payload: { ...payload('by-hand', node), requestedBy: 'mallory', senderId: 'mallory' },
      }),
      senderId: 'AROAEXAMPLE:alice@example.com',
    });

    expect(await counting(() => drainQueue(test.engine, byHand()))).toEqual({ AlarmsAccepted: 1 });
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
    await emit(test.engine, event);
    await emit(test.engine, event);
    await drainQueue(test.engine, alarms());
    await startedFor(node.instanceId)[0]?.ended;
    await emit(test.engine, event);

    expect(await counting(() => drainQueue(test.engine, alarms()))).toEqual({ AlarmsRepeated: 1 });
    expect(startedFor(node.instanceId)).toHaveLength(1);
  });

  it('starts another one when it has gone off once more', async () => {
    const node = await attach('healthy');
    await emit(test.engine, payload('cloudwatch-instance', node));
    await emit(
      test.engine,
      payload('cloudwatch-instance', { ...node, at: new Date(node.at.getTime() - 60_000) }),
    );
    await drainQueue(test.engine, alarms());

    expect(startedFor(node.instanceId)).toHaveLength(2);
  });

  it('that has ended closes nothing, and is written down', async () => {
    const node = await attach('healthy');
    const event = payload('cloudwatch-instance', node);
    event.detail.state.value = 'OK';
    await emit(test.engine, event);

    expect(await counting(() => drainQueue(test.engine, alarms()))).toEqual({ AlarmsResolved: 1 });
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

/** The lines of the audit log that are about alarms, and none of an incident. */
function entries() {
  return audit.filter(({ stream }) => stream.startsWith('alarms-')).map(({ message }) => JSON.parse(message));
}

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
    const before = test.engine.executions.all().length;
    send(alarms(), body(node));
    const counts = await counting(async () => {
      expect(await drainQueue(test.engine, alarms())).toEqual({ done: 1, left: 0, dead: 0 });
    });

    expect(counts).toEqual({ [`AlarmsRefused ${reason}`]: 1 });
    expect(test.engine.executions.all()).toHaveLength(before);
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

    expect(await counting(() => drainQueue(test.engine, alarms()))).toEqual({
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

    expect(await counting(() => drainQueue(test.engine, byHand()))).toEqual({ 'AlarmsRefused forged': 1 });
    expect(startedFor(node.instanceId)).toEqual([]);
  });

  it('whose name CloudWatch rules do not match: it does not even reach the queue', async () => {
    const node = await attach('healthy');
    const event = payload('cloudwatch-instance', node);
    event.detail.alarmName = `somebody-elses-${node.instanceId}`;

    expect(await emit(test.engine, event)).toEqual([]);
    expect(test.engine.cloud.queues.take(alarms())).toEqual([]);
  });
});

describe('a batch', () => {
  it('loses nothing for one bad message: the good ones start, and only what may pass stays in the queue', async () => {
    const good = await attach('healthy');
    // EKS does not know this cluster, so that nobody can say which instance the node is: that may pass.
    const unasked = { ...good, cluster: clusters.unknown, nodeName: 'who-knows.example.com' };
    send(alarms(), 'rubbish');
    send(alarms(), { source: 'census', payload: payload('census', good) });

    expect(await drainQueue(test.engine, alarms())).toEqual({ done: 2, left: 0, dead: 0 });
    expect(startedFor(good.instanceId)).toHaveLength(1);

    const other = await attach('healthy');
    send(alarms(), 'rubbish');
    send(alarms(), payload('cloudwatch-node', unasked));
    send(alarms(), payload('cloudwatch-instance', other));
    expect(await drainQueue(test.engine, alarms())).toEqual({ done: 2, left: 1, dead: 0 });
    expect(startedFor(other.instanceId)).toHaveLength(1);
    for (let again = 0; again < 3; again += 1) {
      expect(await drainQueue(test.engine, alarms())).toEqual({ done: 0, left: 1, dead: 0 });
    }
    expect(await drainQueue(test.engine, alarms())).toEqual({ done: 0, left: 0, dead: 1 });
    const [dead] = test.engine.cloud.queues.take(output('IntakeDeadLettersUrl'));
    expect(dead?.body).toContain('who-knows.example.com');
  });

  it('with a group of a hundred alerts that are for others writes all of them down in one call', async () => {
    const group = payload('alertmanager');
    const [alert] = group.alerts;
    const foreign = { ...alert, labels: { ...alert.labels, cgroup_medic: undefined } };
    group.alerts = Array.from({ length: 100 }, () => foreign);
    send(alarms(), { source: 'alertmanager', payload: group });
    const writes = () => test.engine.cloud.calls.filter(({ call }) => call === 'PutLogEvents').length;
    // The first line of the day makes the stream.
    send(alarms(), 'rubbish');
    const before = writes();

    expect(await counting(() => drainQueue(test.engine, alarms()))).toEqual({
      'AlarmsRefused not-for-us': 100,
      'AlarmsRefused malformed': 1,
    });
    expect(entries()).toHaveLength(101);
    expect(writes() - before).toBeLessThanOrEqual(3);
  });

  it('with a group of which one node cannot be found now starts the others at once, and once', async () => {
    const good = await attach('v2-trend', { nodeName: 'ip-10-0-1-26.ec2.internal' });
    const group = payload('alertmanager', good);
    const [alert] = group.alerts;
    const unasked = { ...alert.labels, cluster: clusters.unknown, node: 'who-knows.example.com' };
    const misnamed = { ...alert.labels, node: undefined };
    group.alerts = [alert, { ...alert, labels: unasked }, { ...alert, labels: misnamed }];
    send(alarms(), { source: 'alertmanager', payload: group });

    const first = await counting(() => drainQueue(test.engine, alarms()));
    expect(first).toEqual({ AlarmsAccepted: 1 });
    expect(startedFor(good.instanceId)).toHaveLength(1);
    await startedFor(good.instanceId)[0]?.ended;
    // What is refused is written down once, when the message is done with.
    expect(await counting(() => drainQueue(test.engine, alarms()))).toEqual({ AlarmsRepeated: 1 });
    expect(entries()).toEqual([]);
    expect(startedFor(good.instanceId)).toHaveLength(1);
    test.engine.cloud.queues.take(alarms());
  });
});

/** One request to the webhook, as Alertmanager makes it. */
function post(body: unknown, change: { headers?: Record<string, string>; method?: string } = {}) {
  const token = test.engine.cloud.secrets.value(output('WebhookSecretArn'));
  return fetch(webhook.url, {
    method: change.method ?? 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...change.headers },
    ...(change.method === 'GET' ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

describe('the webhook', () => {
  const cases: [what: string, status: number, reason: string, ask: () => Promise<Response>][] = [
    [
      'without a token',
      401,
      'unauthorized',
      () => post(payload('alertmanager'), { headers: { authorization: '' } }),
    ],
    [
      'with another token',
      401,
      'unauthorized',
      () => post(payload('alertmanager'), { headers: { authorization: `Bearer ${'0'.repeat(48)}` } }),
    ],
    [
      'with a part of the token',
      401,
      'unauthorized',
      () => {
        const token = test.engine.cloud.secrets.value(output('WebhookSecretArn'));
        return post(payload('alertmanager'), { headers: { authorization: `Bearer ${token.slice(0, -1)}` } });
      },
    ],
    ['as GET', 405, 'method', () => post('', { method: 'GET' })],
    [
      'that is a form',
      415,
      'content-type',
      () => post('a=b', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    ],
    [
      'that is too large',
      413,
      'oversized',
      () => post({ ...payload('alertmanager'), pad: 'x'.repeat(205_000) }),
    ],
    ['that is no JSON', 400, 'malformed', () => post('{"version": "4"')],
    ['of another version', 400, 'malformed', () => post({ ...payload('alertmanager'), version: '3' })],
    ['without alerts', 400, 'malformed', () => post({ version: '4' })],
  ];
  it.each(cases)(
    'refuses a request %s with %i, counts it as %s, and sends nothing on',
    async (_, status, reason, ask) => {
      let answer: Response | undefined;
      const counts = await counting(async () => {
        answer = await ask();
      });

      expect(answer?.status).toBe(status);
      expect(counts).toEqual({ [`AlarmsRefused ${reason}`]: 1 });
      expect(test.engine.cloud.queues.take(alarms())).toEqual([]);
    },
  );

  it('never says or logs the token, nor what somebody has sent as one', async () => {
    const token = test.engine.cloud.secrets.value(output('WebhookSecretArn'));
    const guess = 'a-guess-that-must-not-be-kept';
    const [right, wrong] = [
      await post(payload('alertmanager')),
      await post(payload('alertmanager'), { headers: { authorization: `Bearer ${guess}` } }),
    ];
    const said = `${await right.text()} ${await wrong.text()} ${readFileSync(join(test.home, 'functions.log'), 'utf8')}`;

    expect(said).toContain('a request was refused');
    expect(said).not.toContain(token);
    expect(said).not.toContain(guess);
    test.engine.cloud.queues.take(alarms());
  });
});
