import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { LogLine } from '../../local/cloud/cloudwatch-logs.ts';
import type { ManagedNode } from '../../local/cloud/ssm.ts';
import { type LocalUrl, serveFunctionUrl } from '../../local/engine/function-url.ts';
import { type LocalNode, openNode } from '../../local/local-node.ts';
import { clusters, startTestEngine, type TestEngine } from './test-engine.ts';

/**
 * One account for a whole test file, with its webhook on a port, and what a test of the intake asks of it. Registers the hooks that
 * start and end it.
 */
export function useTestIntake() {
  let test: TestEngine;
  let webhook: LocalUrl;
  const opened: LocalNode[] = [];
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
    for (const node of opened) await node.close();
  });
  beforeEach(() => {
    audit.length = 0;
  });

  const output = (name: string): string => test.engine.stack.outputs[name] ?? '';
  const queueNamed = (id: string): string =>
    test.engine.stack.queues.find(({ logicalId }) => logicalId.startsWith(id))?.url ?? '';

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

  /** The token of the webhook. */
  const token = () => test.engine.cloud.secrets.value(output('WebhookSecretArn'));

  return {
    /** The lines of the audit log since the test began. */
    audit,
    get engine() {
      return test.engine;
    },
    get home() {
      return test.home;
    },
    get webhookUrl() {
      return webhook.url;
    },
    output,
    alarms: () => queueNamed('IntakeAlarms'),
    byHand: () => queueNamed('IntakeByHand'),
    token,

    /** A recorded node of a cluster that observes, which lives until the end of this file. */
    async attach(
      name: string,
      {
        cluster = clusters.observe,
        nodeName,
        ...more
      }: { cluster?: string; nodeName?: string } & Partial<ManagedNode> = {},
    ) {
      const id = `intake-${opened.length + 1}`;
      const instanceId = `i-${createHash('sha256').update(`${process.pid} ${id}`).digest('hex').slice(0, 17)}`;
      const node = await openNode({ name, id, directory: test.home });
      opened.push(node);
      if (node.root === undefined) throw new Error(`${name} is no recorded node`);
      const around = structuredClone(node.managed.around);
      if (around?.cluster !== undefined && nodeName !== undefined)
        around.cluster.node.metadata.name = nodeName;
      test.engine.cloud.ssm.attach({
        ...node.managed,
        ...(around === undefined ? {} : { around }),
        instanceId,
        tags: { 'eks:cluster-name': cluster },
        ...more,
      });
      return { instanceId, nodeName: nodeName ?? 'nobody.example', cluster, at: new Date(), root: node.root };
    },

    /** What was started for one instance. */
    startedFor: (instanceId: string) =>
      test.engine.executions.all().filter(({ name }) => name.startsWith(`${instanceId}-`)),

    /** What `act` has counted. */
    async counting(act: () => Promise<unknown>): Promise<Record<string, number>> {
      const before = counted();
      await act();
      const after = Object.entries(counted()).map(
        ([key, value]) => [key, value - (before[key] ?? 0)] as const,
      );
      return Object.fromEntries(after.filter(([, value]) => value !== 0));
    },

    send: (queueUrl: string, body: unknown) =>
      test.engine.cloud.queues.put({
        queueUrl,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),

    /** One request to the webhook, as Alertmanager makes it. */
    post: (body: unknown, change: { headers?: Record<string, string>; method?: string } = {}) =>
      fetch(webhook.url, {
        method: change.method ?? 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${token()}`,
          ...change.headers,
        },
        ...(change.method === 'GET' ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),

    /** The lines of the audit log that are about alarms, and none of an incident. */
    entries: () =>
      audit.filter(({ stream }) => stream.startsWith('alarms-')).map(({ message }) => JSON.parse(message)),
  };
}
