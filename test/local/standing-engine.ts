import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { expect } from 'vitest';
import { clusterTag } from '../../lambdas/adapters/instance-cluster.ts';
import { CensusRun } from '../../lambdas/domain/census/run.ts';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { type Engine, startEngine } from '../../local/engine/engine.ts';
import { type LocalNode, openNode } from '../../local/local-node.ts';
import { stateTable, testStack } from './test-engine.ts';

/** All nodes of these tests are of one group. */
export const nodeGroup = 'workers';

export type Told = { kind: string; incident: string; title: string; card?: Record<string, unknown> };
export type AuditLine = { incident: string; step: string; [name: string]: unknown };
export type Raised = { source: string; payload: Record<string, unknown> };
/** What people were asked about, in order, and the approvals. */
export type Approved = { treatments: string[]; approvals: string[] };

/** An account of a whole fleet: incidents by hand, looks of the census, and what the intake makes of those. */
export type StandingEngine = {
  engine: Engine;
  /** What people were told; a test may empty it. */
  messages: Told[];
  audit: AuditLine[];
  instanceIdOf(name: string): string;
  /** A recorded node as an instance of a cluster; `change` may change what it does. */
  attach(
    name: string,
    node: { recorded: string; cluster: string; change?(opened: LocalNode): LocalNode['managed'] },
  ): Promise<string>;
  /** One incident by hand, of which ana approves whatever it asks. */
  incident(name: string, cluster: string, instanceId: string): Promise<Approved>;
  /**
   * One quick look of the census, from the clock to its end: what it raised.
   *
   * @param fails what the function that ends it fails with, once it has done all else
   */
  census(cluster: string, fails?: RegExp): Promise<Raised[]>;
  /** What the intake makes of what the census raised: the names of the incidents. */
  take(raised: readonly object[]): Promise<string[]>;
  /** The last line of an incident's audit, once it is there. */
  closed(incident: string): Promise<AuditLine>;
  put(item: object): Promise<unknown>;
  remove(pk: string, sk: string): Promise<unknown>;
  close(): Promise<void>;
};

export async function startStandingEngine(settings: Settings): Promise<StandingEngine> {
  const stack = await testStack(settings);
  const home = mkdtempSync(join(tmpdir(), 'cgroup-medic-standing-'));
  const engine = await startEngine({ stack, logFile: join(home, 'functions.log') });
  const opened: LocalNode[] = [];
  const messages: Told[] = [];
  const audit: AuditLine[] = [];
  engine.onPublished(({ message }) => messages.push(JSON.parse(message)));
  engine.onLogLine(({ group, message }) => {
    if (group === stack.outputs.AuditLogGroupName) audit.push(JSON.parse(message));
  });

  const instanceIdOf = (name: string) => `i-${createHash('sha256').update(name).digest('hex').slice(0, 17)}`;
  const environmentOf = (name: string) =>
    stack.functions.find((one) => one.name === `CgroupMedic-${name}`)?.environment ?? {};
  const TableName = stateTable(engine);

  return {
    engine,
    messages,
    audit,
    instanceIdOf,
    async attach(name, { recorded, cluster, change }) {
      const node = await openNode({ name: recorded, id: name, directory: home });
      opened.push(node);
      const managed = change?.(node) ?? node.managed;
      const instanceId = instanceIdOf(name);
      const tags = { [clusterTag]: cluster, 'eks:nodegroup-name': nodeGroup };
      engine.cloud.ssm.attach({ ...managed, instanceId, tags });
      return instanceId;
    },
    async incident(name, cluster, instanceId) {
      const at = new Date().toISOString();
      let over = false;
      const ended = engine
        .execute({ name, input: { source: 'by-hand', id: name, at, cluster, instanceId } })
        .finally(() => {
          over = true;
        });
      const approved = new Map<string, string>();
      while (!over) {
        for (const { kind, card } of messages.filter((one) => one.incident === name)) {
          const approvalId = String(card?.approvalId);
          if (kind !== 'approval-requested' || approved.has(approvalId)) continue;
          approved.set(approvalId, String(card?.treatment));
          await engine.functions.invoke('CgroupMedic-decide', {
            approvalId,
            decision: 'approve',
            by: { person: 'ana', door: 'local' },
          });
        }
        await sleep(200);
      }
      await ended;
      return { treatments: [...approved.values()], approvals: [...approved.keys()] };
    },
    async census(cluster, fails) {
      const queues = environmentOf('census-close');
      const { CENSUS_QUEUE_URL = '', CENSUS_ENDS_QUEUE_URL = '', INTAKE_QUEUE_URL = '' } = queues;
      const event = (body: string) => ({ Records: [{ messageId: 'm', body }] });
      await engine.functions.invoke('CgroupMedic-census-start', { cluster, profile: 'quick' });
      for (let tries = 0; tries < 60; tries += 1) {
        for (const { body } of engine.cloud.queues.take(CENSUS_QUEUE_URL)) {
          CensusRun.parse(JSON.parse(body));
          await engine.functions.invoke('CgroupMedic-census-read', event(body));
        }
        const ends = engine.cloud.queues.take(CENSUS_ENDS_QUEUE_URL);
        for (const { body } of ends) {
          const ending = engine.functions.invoke('CgroupMedic-census-close', event(body));
          await (fails === undefined ? ending : expect(ending).rejects.toThrow(fails));
        }
        if (ends.length > 0)
          return engine.cloud.queues.take(INTAKE_QUEUE_URL).map(({ body }) => JSON.parse(body));
        await sleep(500);
      }
      throw new Error('the run of the census came to no end in 30 s');
    },
    async take(raised) {
      const { ALARM_QUEUE_ARN = '' } = environmentOf('intake');
      const before = new Set(engine.executions.all().map(({ name }) => name));
      const attributes = { SentTimestamp: String(Date.now()), SenderId: 'census' };
      await engine.functions.invoke('CgroupMedic-intake', {
        Records: raised.map((body, index) => ({
          messageId: `m-${index}`,
          body: JSON.stringify(body),
          attributes,
          eventSourceARN: ALARM_QUEUE_ARN,
        })),
      });
      return engine.executions.all().flatMap(({ name }) => (before.has(name) ? [] : [name]));
    },
    async closed(incident) {
      for (let tries = 0; tries < 600; tries += 1) {
        const line = audit.find(({ incident: of, step }) => of === incident && step === 'incident.closed');
        if (line !== undefined) return line;
        await sleep(200);
      }
      throw new Error(`incident ${incident} has not closed in 120 s`);
    },
    put: (item) => engine.cloud.dynamo.send(new PutItemCommand({ TableName, Item: marshall(item) })),
    remove: (pk, sk) =>
      engine.cloud.dynamo.send(new DeleteItemCommand({ TableName, Key: marshall({ pk, sk }) })),
    async close() {
      for (const node of opened) await node.close();
      await engine.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
