import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditLog } from '../../lambdas/adapters/audit-log.ts';
import { AuditTrail } from '../../lambdas/adapters/audit-trail.ts';
import { BudgetStore } from '../../lambdas/adapters/budget-store.ts';
import { clusterTag } from '../../lambdas/adapters/instance-cluster.ts';
import { LeaseStore } from '../../lambdas/adapters/lease-store.ts';
import type { AuditStep } from '../../lambdas/domain/audit/entry.ts';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import { withPlace } from '../../lambdas/domain/gates/budget.ts';
import { cordonAnnotation } from '../../lambdas/domain/replacement/cordon.ts';
import { Gates } from '../../lambdas/domain/settings/gates.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import type { LocalApiServer } from '../../local/cloud/kubernetes-api.ts';
import type { KubernetesObject } from '../../local/cloud/kubernetes-changes.ts';
import { openNode } from '../../local/local-node.ts';
import { localApi, localSettings } from '../../local/local-settings.ts';
import { asOneOfMany } from './one-of-many.ts';
import { leaseHolder, startTestEngine, stateTable, type TestEngine } from './test-engine.ts';

const base = localSettings({ mode: 'auto', recorded: true, cluster: { api: localApi } }).clusters.local;
const cluster = (forgottenCordon: 'report' | 'uncordon') => ({
  ...base,
  replacement: { enabled: true, forgottenCordon },
});
const settings = Settings.parse({
  ...localSettings({ mode: 'auto' }),
  clusters: { told: cluster('report'), swept: cluster('uncordon'), broken: cluster('uncordon') },
});

const plenty = Gates.parse({ budget: { nodeGroupPercent: 100, clusterPercent: 100, perZone: 100 } }).budget;

let test: TestEngine;
let home: string;
const messages: { kind: string; cluster?: string; text: string }[] = [];
beforeAll(async () => {
  test = await startTestEngine(settings);
  home = mkdtempSync(join(tmpdir(), 'cgroup-medic-cordons-'));
  test.engine.onPublished(({ message }) => messages.push(JSON.parse(message)));
}, 240_000);
afterAll(async () => {
  await test?.close();
  rmSync(home, { recursive: true, force: true });
});

const toldOf = (name: string) => messages.filter((one) => one.cluster === name);
const sweep = (name: string) => test.engine.functions.invoke('CgroupMedic-sweep-cordons', { cluster: name });
const serverOf = async (name: string): Promise<LocalApiServer> => {
  const server = await test.engine.cloud.clusters.named(name);
  if (server === undefined) throw new Error(`${name} has no node`);
  return server;
};

type Forgotten = { instanceId: string; incident: string; object: KubernetesObject };

/** A node of a cluster with the cordon of an incident that closed two hours ago. */
async function forgotten(name: string, as: string, minutesAgo = 120): Promise<Forgotten> {
  const opened = await openNode({ name: 'memcg-ids', id: as, directory: home });
  const instanceId = `i-${createHash('sha256').update(as).digest('hex').slice(0, 17)}`;
  const node = asOneOfMany({ ...opened, managed: { ...opened.managed, instanceId } });
  const { around } = node.managed;
  if (around?.cluster === undefined) throw new Error('nothing is known around the node');
  test.engine.cloud.ssm.attach({ ...node.managed, tags: { ...node.managed.tags, [clusterTag]: name } });
  const incident = `inc-${as}`;
  await write(incident, name, instanceId, 'incident.opened', minutesAgo + 30);
  await write(incident, name, instanceId, 'incident.closed', minutesAgo);
  const object = around.cluster.node as KubernetesObject;
  (await serverOf(name)).changes.touch(object, {
    unschedulable: true,
    annotations: { [cordonAnnotation]: incident },
  });
  return { instanceId, incident, object };
}

function trail(): AuditTrail {
  const { environment } = test.engine.stack.functions.find(({ name }) => name.endsWith('-close')) ?? {};
  const { AUDIT_TABLE = '', AUDIT_LOG_GROUP = '' } = environment ?? {};
  const client = new CloudWatchLogsClient({
    region: 'us-east-1',
    endpoint: test.engine.cloud.endpoint,
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  return new AuditTrail(test.engine.cloud.dynamo, AUDIT_TABLE, new AuditLog(client, AUDIT_LOG_GROUP));
}

async function write(
  incident: string,
  name: string,
  instanceId: string,
  step: AuditStep,
  minutesAgo: number,
): Promise<void> {
  const at = new Date(Date.now() - minutesAgo * 60_000).toISOString();
  await trail().append(
    { step, actor: { kind: 'rule', id: 'test' }, what: step },
    { incident, cluster: name, instanceId, at, key: step, fencing: 1, software: 'test', imageId: null },
  );
}

async function seen(name: string, { object }: Forgotten) {
  const { metadata, spec } = (await serverOf(name)).changes.node(object) as KubernetesObject & {
    spec: { unschedulable?: boolean };
  };
  return { unschedulable: spec.unschedulable ?? false, by: metadata.annotations?.[cordonAnnotation] };
}

describe('a forgotten cordon', () => {
  it('is told once, in one message for all that there are, and stays, where the settings say report', async () => {
    const [first, second] = [await forgotten('told', 'told-1'), await forgotten('told', 'told-2')];
    const young = await forgotten('told', 'told-young', 5);

    await sweep('told');
    await sweep('told');

    const told = toldOf('told');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ kind: 'call-a-person' });
    for (const { incident } of [first, second]) expect(told[0]?.text).toContain(`cordoned by ${incident}`);
    expect(told[0]?.text).not.toContain(young.incident);
    for (const one of [first, second, young]) {
      expect(await seen('told', one)).toEqual({ unschedulable: true, by: one.incident });
    }
    const figure = test.engine.cloud.metrics.findLast(({ name }) => name === 'ForgottenCordons');
    expect(figure).toMatchObject({ value: 2 });
  });

  it('is taken back with a trail of its own, and under the lease of the node, where they say uncordon', async () => {
    const one = await forgotten('swept', 'swept-1');
    // Held on to as the incident ended; nobody waits a day for the place of a node that takes pods again.
    const budgets = new BudgetStore(test.engine.cloud.dynamo, stateTable(test.engine));
    const day = new Date(Date.now() + 86_400_000);
    const place = { nodeGroup: 'web', zone: 'z', nodes: { cluster: 30, nodeGroup: 30 }, treatment: 'cordon' };
    const live = await forgotten('swept', 'swept-live', 5);
    for (const { incident, instanceId } of [one, live])
      await budgets.change('swept', (budget) =>
        withPlace(budget, { ...place, incident, instanceId }, plenty, new Date(), day),
      );

    await sweep('swept');

    expect((await budgets.read('swept')).holders.map(({ incident }) => incident)).toEqual([live.incident]);

    expect(await seen('swept', one)).toEqual({ unschedulable: false, by: undefined });
    const entries = await trail().entries(`sweep-${one.incident}`);
    expect(entries.map(({ step, outcome }) => [step, outcome])).toEqual([
      ['cordon.swept', 'begun'],
      ['cordon.swept', 'done'],
    ]);
    expect(entries[0]).toMatchObject({
      instanceId: one.instanceId,
      fencing: 1,
      details: { cordonOf: one.incident },
    });
    expect(verifyTrail(entries)).toMatchObject({ entries: 2 });
    expect(await leaseHolder(test.engine, one.instanceId)).toBeUndefined();
    expect(toldOf('swept').map(({ text }) => text)).toEqual([expect.stringContaining('it was uncordoned')]);

    await sweep('swept');
    expect(toldOf('swept')).toHaveLength(1);
  });

  it('stays, and is told, where nobody can read what became of its incident', async () => {
    const one = await forgotten('broken', 'broken-1');
    const disturb = ({ body }: { body: Buffer }) => {
      const text = body.toString('utf8');
      if (text.includes('incident = :incident') && text.includes(one.incident))
        throw new Error('no table today');
      return undefined;
    };
    test.engine.cloud.disturbances.add(disturb);
    await sweep('broken').finally(() => test.engine.cloud.disturbances.delete(disturb));

    expect(await seen('broken', one)).toEqual({ unschedulable: true, by: one.incident });
    expect(toldOf('broken').map(({ text }) => text)).toEqual([expect.stringContaining('could not be read')]);
  });

  it('of a node that another incident has waits, and is told', async () => {
    const one = await forgotten('broken', 'broken-2');
    const leases = new LeaseStore(test.engine.cloud.dynamo, stateTable(test.engine));
    await leases.take(one.instanceId, 'inc-other', 600, new Date());

    await sweep('broken');

    expect(await seen('broken', one)).toEqual({ unschedulable: true, by: one.incident });
    expect(toldOf('broken').at(-1)?.text).toContain('inc-other has the lease of the node');
    expect(await leaseHolder(test.engine, one.instanceId)).toBe('inc-other');
  });
});
