import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BudgetStore } from '../../lambdas/adapters/budget-store.ts';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import { withoutIncident } from '../../lambdas/domain/gates/budget.ts';
import { IncidentRecord } from '../../lambdas/domain/incident-record.ts';
import { cordonAnnotation } from '../../lambdas/domain/replacement/cordon.ts';
import type { ReplacementState } from '../../lambdas/domain/replacement/course-state.ts';
import type { LocalApiServer } from '../../local/cloud/kubernetes-api.ts';
import type { LocalNode } from '../../local/local-node.ts';
import { asOneOfMany } from './one-of-many.ts';
import { clusters, startTestEngine, stateTable, type TestEngine, type TestIncident } from './test-engine.ts';

// Whole incidents, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

type Props = Partial<Parameters<TestEngine['run']>[0]>;
type Line = { step: string; outcome?: string; what: string; details?: Record<string, unknown> };
type NodeNow = { metadata: { annotations: Record<string, string> }; spec: { unschedulable?: boolean } };
type Ended = TestIncident & {
  trail: unknown[];
  lines: Line[];
  steps: string[];
  seen: NodeNow;
  groupNow: Record<string, string>;
};

const inCluster = { node: 'memcg-ids', cluster: clusters.replacing, approve: 'yes' } as const;

/** Runs an incident on a node of its own, and looks at its node and its group when it has ended, before they are gone. */
async function incident(props: Props = {}): Promise<Ended> {
  let around: LocalNode['managed']['around'];
  const change = (node: LocalNode): LocalNode => {
    const one = asOneOfMany(node);
    around = one.managed.around;
    return props.change?.(one) ?? one;
  };
  let seen: Pick<Ended, 'seen' | 'groupNow'> | undefined;
  const look = async (): Promise<void> => {
    const server = await apiServer();
    const groups = test.engine.cloud.owners.all();
    seen = {
      seen: structuredClone(server.changes.node(around?.cluster?.node as never)) as unknown as NodeNow,
      groupNow: groups.find(({ name }) => name === around?.group?.name)?.instances ?? {},
    };
  };
  return test.run({ ...inCluster, ...props, change }, async (ended) => {
    await look();
    const trail = ended.auditLines.map((line) => JSON.parse(line));
    // Without its signed head.
    const lines: Line[] = trail.filter((line) => 'step' in line);
    if (seen === undefined) throw new Error('nobody has looked');
    return { ...ended, ...seen, trail, lines, steps: lines.map(({ step }) => step) };
  });
}

/** The one of the cluster; it starts when it is first asked for, and knows nobody before there is a node. */
async function apiServer(): Promise<LocalApiServer> {
  const server = await test.engine.cloud.clusters.named(clusters.replacing);
  if (server === undefined) throw new Error('the cluster has no node');
  return server;
}

/** Patches, evictions and whatever else was asked of the API server that changes something, about this incident's node. */
async function changesOf({ instanceId }: Pick<TestIncident, 'instanceId'>): Promise<string[]> {
  return (await apiServer()).asked.filter((path) => /^[A-Z]+ /.test(path) && path.includes(instanceId));
}

function untouched({ seen, groupNow, instanceId }: Ended): void {
  expect(seen.spec.unschedulable ?? false).toBe(false);
  expect(seen.metadata.annotations).not.toHaveProperty(cordonAnnotation);
  expect(groupNow).toEqual({ [instanceId]: 'InService' });
}

async function wellClosed(ended: Ended): Promise<void> {
  expect(verifyTrail(ended.trail, ended.publicKey)).toMatchObject({ ok: true });
  expect(await ended.leaseHolder()).toBeUndefined();
  const budget = await new BudgetStore(test.engine.cloud.dynamo, stateTable(test.engine)).read(
    clusters.replacing,
  );
  expect(budget.holders.map((holder) => holder.incident)).not.toContain(ended.id);
}

// The slowest first: five run at the same time.
describe.concurrent('a node that nothing helps', () => {
  it('is uncordoned where a budget never lets a pod go, and a person is told which', async () => {
    const ended = await incident(
      whenAt('examine', async (instanceId) => {
        const pods = [`cart-7f6b5d4c8-m2n7v-${instanceId}`];
        const { budgets } = (await apiServer()).changes;
        budgets.push({ namespace: 'shop', name: 'cart-budget', pods, allowed: 0 });
      }),
    );

    const [rung] = ended.record.rungs;
    expect(rung).toMatchObject({ treatment: 'replace-node', status: 'refused' });
    expect(rung?.reason).toMatch(
      /Budgets that allow nothing: shop\/cart-budget[\s\S]*shop\/cart-7f6b5d4c8-m2n7v\S*: refused \d+ times?/,
    );
    expect(ended.record.outcome).toBe('unresolved');
    untouched(ended);
    const told = ended.messages.find(({ kind }) => kind === 'call-a-person');
    expect(told?.text).toContain('shop/cart-budget');
    expect(told?.text).toContain('cart-7f6b5d4c8-m2n7v');
    await wellClosed(ended);
  });

  it('that answers no more is replaced as well, by what is known around it', async () => {
    const console = ['[912044.118802] cgroup: cannot create kubepods-burstable: no space left on device'];
    const ended = await incident({
      change: ({ managed, ...node }) => {
        if (managed.around === undefined) throw new Error('nothing is known around it');
        return { ...node, managed: { ...managed, around: { ...managed.around, console }, run: silence } };
      },
    });

    expect(ended.record.diagnosis?.cause).toBe('memcg-id-exhaustion');
    expect(ended.lines.find(({ step }) => step === 'diagnosed')?.details).toMatchObject({
      gaps: expect.arrayContaining([expect.objectContaining({ probe: 'mkdirProbe' })]),
    });
    expect(ended.record).toMatchObject({
      outcome: 'cured',
      rungs: [{ treatment: 'replace-node', status: 'done' }],
    });
    expect(ended.groupNow).not.toHaveProperty(ended.instanceId);
    await wellClosed(ended);
  });

  it('is drained and replaced once a person has approved it, and that is the cure', async () => {
    const ended = await incident();

    expect(ended.record).toMatchObject({
      outcome: 'cured',
      rungs: [
        {
          treatment: 'replace-node',
          risk: 'high',
          approval: { status: 'approved' },
          status: 'done',
          result: { changed: true, details: { evicted: 3 } },
          verification: { cured: true, provisional: false },
        },
      ],
    });
    expect(ended.groupNow).toEqual({ [String(Object.keys(ended.groupNow)[0])]: 'InService' });
    expect(ended.groupNow).not.toHaveProperty(ended.instanceId);
    // Two pods of the node are of DaemonSets.
    expect((await changesOf(ended)).map((path) => path.split(' ')[0])).toEqual([
      'PATCH',
      'POST',
      'POST',
      'POST',
    ]);
    const cordoned = ended.lines.find(({ step }) => step === 'treatment.intended');
    expect(cordoned?.details).toMatchObject({
      undo: { uncordon: { node: expect.stringContaining('ip-10-0-52-8') } },
    });
    // Nothing is sent to a node that has gone.
    const after = ended.steps.slice(ended.steps.indexOf('replacement.acted'));
    expect(after).not.toContain('examination.sent');
    expect(after.slice(-3)).toEqual(['treatment.finished', 'verified', 'incident.closed']);
    await wellClosed(ended);
  });

  it('is left alone where nobody knows who would replace it', async () => {
    const ended = await incident({
      change: (node) => ({ ...node, managed: { ...node.managed, tags: {} } }),
    });

    expect(ended.record.outcome).toBe('unresolved');
    expect(ended.record.rungs[0]?.reason).toMatch(
      /^nobody is known to replace this node: its label says node group/,
    );
    expect(await changesOf(ended)).toEqual([]);
    untouched(ended);
    expect(ended.messages.find(({ kind }) => kind === 'call-a-person')?.text).toContain('nobody is known');
    await wellClosed(ended);
  });

  it('is left alone where a person denies it', async () => {
    const ended = await incident({ approve: 'no' });

    expect(ended.record.outcome).toBe('denied');
    expect(ended.steps).not.toContain('replacement.acted');
    expect(await changesOf(ended)).toEqual([]);
    untouched(ended);
    await wellClosed(ended);
  });

  it('keeps its pods from the moment on that the instance has a veto', async () => {
    const ended = await incident({ ...whenAt('evict', veto) });

    expect(ended.record.rungs[0]).toMatchObject({
      status: 'refused',
      reason: 'the instance has the tag cgroup-medic/veto by now: wait',
      result: { details: { evicted: 0 } },
    });
    // Cordoned and uncordoned, and no pod asked to go.
    expect((await changesOf(ended)).map((path) => path.split(' ')[0])).toEqual(['PATCH', 'PATCH']);
    untouched(ended);
    await wellClosed(ended);
  });

  it('is not handed over from the moment on that the instance has a veto', async () => {
    const ended = await incident({ ...whenAt('hand-over', veto) });

    expect(ended.record.rungs[0]).toMatchObject({
      status: 'refused',
      reason: 'the instance has the tag cgroup-medic/veto by now: wait',
    });
    untouched(ended);
    await wellClosed(ended);
  });

  it('keeps its pods while EC2 does not tell whether the instance has a veto, and is asked again', async () => {
    let refuses = false;
    let looks = 0;
    let about = '';
    const disturb = ({ service, body }: { service: string; body: Buffer }) => {
      if (refuses && service === 'ec2' && body.toString('utf8').includes(about)) {
        throw new Error('EC2 has no answer today');
      }
      return undefined;
    };
    test.engine.cloud.disturbances.add(disturb);
    const askedToGo: number[] = [];
    const ended = await incident({
      async before(instanceId) {
        about = instanceId;
      },
      onEvent({ type, state }) {
        const { replacement } = (state?.input ?? {}) as { replacement?: { at: string } };
        if (type !== 'StateEntered' || state?.name !== 'ReplaceStep') return;
        if (replacement?.at === 'evict') refuses = looks < 2;
        if (replacement?.at !== 'drain') return;
        if (refuses) {
          looks += 1;
          void changesOf({ instanceId: about }).then((all) =>
            askedToGo.push(all.filter((path) => path.startsWith('POST')).length),
          );
        }
        refuses = false;
      },
    }).finally(() => test.engine.cloud.disturbances.delete(disturb));

    expect(askedToGo).toEqual([0, 0]);
    const unread = ended.lines.filter(({ what }) =>
      what.startsWith('whether there is a veto could not be read'),
    );
    expect(unread).toHaveLength(2);
    expect(ended.record).toMatchObject({ outcome: 'cured', rungs: [{ status: 'done' }] });
    await wellClosed(ended);
  });

  it('is uncordoned by the undo where the incident has lost its node on the way', async () => {
    const ended = await incident({ ...whenAt('evict', steal) });

    expect(ended.record.outcome).toBe('failed');
    expect(ended.lines.find(({ step }) => step === 'undo.finished')).toMatchObject({ outcome: 'done' });
    expect(ended.steps).not.toContain('janitor.started');
    untouched(ended);
    expect(ended.messages.map(({ kind }) => kind)).toContain('call-a-person');
  });

  it.each(['examine', 'cordon', 'drain', 'evict', 'hand-over', 'arrive'] as const)(
    'is uncordoned, or gone, where the execution is stopped before the act %s',
    async (at) => {
      const stop = new AbortController();
      const ended = await incident({ ...whenAt(at, () => stop.abort()), signal: stop.signal });

      expect(ended.execution.status).toBe('ABORTED');
      expect(ended.steps).toContain('janitor.finished');
      const gone = !(ended.instanceId in ended.groupNow) || ended.groupNow[ended.instanceId] !== 'InService';
      if (!gone) untouched(ended);
      if (at === 'drain' || at === 'evict') {
        expect(ended.lines.find(({ step }) => step === 'undo.finished')).toMatchObject({ outcome: 'done' });
      }
      expect(ended.messages.map(({ kind }) => kind)).toContain('call-a-person');
      await wellClosed(ended);
    },
  );

  it('that the janitor cannot uncordon is named to a person', async () => {
    const stop = new AbortController();
    let lift = (): void => {};
    const ended = await incident({
      ...whenAt('evict', (_, id) => {
        lift = refuseUncordons(id);
        stop.abort();
      }),
      signal: stop.signal,
    }).finally(() => lift());

    expect(ended.lines.find(({ step }) => step === 'undo.finished')).toMatchObject({ outcome: 'failed' });
    expect(ended.seen).toMatchObject({
      spec: { unschedulable: true },
      metadata: { annotations: { [cordonAnnotation]: ended.id } },
    });
    const told = ended.messages.find(({ kind }) => kind === 'call-a-person');
    expect(told?.text).toMatch(/replace-node: failed, the node ip-10-0-52-8\S+ could not be uncordoned/);
    // Its node is one less for as long; the others of this file have nothing to wait for.
    const budgets = new BudgetStore(test.engine.cloud.dynamo, stateTable(test.engine));
    const { before } = await budgets.change(clusters.replacing, (budget) =>
      withoutIncident(budget, ended.id),
    );
    expect(before.holders.map(({ incident: holder }) => holder)).toContain(ended.id);
  });

  it('is replaced by one command, npm start, which says each act, the pods, and the new node', async () => {
    const root = resolve(import.meta.dirname, '../..');
    const args = [
      'bin/run.mjs',
      'local/start.ts',
      '--fault',
      'memcg-id-exhaustion',
      '--approve',
      'yes',
      '--json',
    ];
    const env = { ...process.env, CGROUP_MEDIC_HOME: test.home };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root, env });

    expect(IncidentRecord.parse(JSON.parse(stdout))).toMatchObject({ outcome: 'cured', recorded: true });
    for (const said of [
      'the node ip-10-0-52-8.ec2.internal is cordoned',
      'shop/cart-7f6b5d4c8-m2n7v: going',
      'the managed node group workers was asked for another node',
      'ip-10-0-52-91.ec2.internal is Ready, and runs pods',
    ]) {
      expect(stderr).toContain(said);
    }
  });
});

describe('a node whose node group', () => {
  it.each([
    ['is being updated', { status: 'UPDATING' }, 'the node group workers is being updated'],
    [
      'is degraded',
      { status: 'DEGRADED', health: { issues: [{ code: 'AsgInstanceLaunchFailures' }] } },
      'the node group workers is DEGRADED (AsgInstanceLaunchFailures)',
    ],
  ])('%s is left alone, and never cordoned, although a person has approved it', async (_, group, reason) => {
    const { nodeGroups } = test.engine.cloud.owners;
    nodeGroups.set('workers', group);
    const ended = await incident().finally(() => nodeGroups.delete('workers'));

    expect(ended.record.outcome).toBe('unresolved');
    expect(ended.record.rungs[0]).toMatchObject({
      treatment: 'replace-node',
      approval: { status: 'approved' },
      status: 'refused',
      reason: expect.stringContaining(reason),
      result: { changed: false },
    });
    expect(await changesOf(ended)).toEqual([]);
    expect(ended.steps).not.toContain('treatment.intended');
    untouched(ended);
    expect(ended.messages.find(({ kind }) => kind === 'call-a-person')?.text).toContain(reason);
    await wellClosed(ended);
  });
});

describe('in mode observe', () => {
  it('a node is not touched, and it is said that it would be replaced', async () => {
    test.engine.cloud.ssm.putParameter(`/cgroup-medic/${clusters.replacing}/mode`, 'observe');
    const ended = await incident({ approve: 'never' }).finally(() => {
      test.engine.cloud.ssm.putParameter(`/cgroup-medic/${clusters.replacing}/mode`, 'auto');
    });

    expect(ended.record.outcome).toBe('observed');
    expect(ended.record.plan[0]?.treatment).toBe('replace-node');
    expect(await changesOf(ended)).toEqual([]);
    untouched(ended);
  });
});

/** Something happens when this act is the next, and before the function is called that makes it. */
function whenAt(
  at: ReplacementState['at'],
  act: (instanceId: string, id: string) => void | Promise<void>,
): Pick<Props, 'onEvent' | 'before'> {
  let about = { instanceId: '', id: '' };
  let done = false;
  return {
    async before(instanceId, id) {
      about = { instanceId, id };
    },
    onEvent({ type, state }) {
      const { replacement } = (state?.input ?? {}) as { replacement?: { at: string } };
      const next = replacement?.at ?? 'examine';
      if (done || type !== 'StateEntered' || state?.name !== 'ReplaceStep' || next !== at) return;
      done = true;
      void act(about.instanceId, about.id);
    },
  };
}

function veto(instanceId: string): void {
  const node = test.engine.cloud.ssm.nodes.find((one) => one.instanceId === instanceId);
  if (node !== undefined) {
    test.engine.cloud.ssm.attach({ ...node, tags: { ...node.tags, 'cgroup-medic/veto': 'wait' } });
  }
}

/** Another incident takes the lease of the node over. */
async function steal(instanceId: string): Promise<void> {
  await test.engine.cloud.dynamo.send(
    new PutItemCommand({
      TableName: stateTable(test.engine),
      Item: marshall({ pk: `LEASE#${instanceId}`, sk: 'LEASE', holder: 'another', fencing: 99 }),
    }),
  );
}

/** Calls of the function that changes nodes that are to uncordon for this incident fail. @returns what ends that */
function refuseUncordons(id: string): () => void {
  const disturb = ({ service, body }: { service: string; body: Buffer }) => {
    const text = body.toString('utf8');
    if (service === 'lambda' && text.includes('"uncordon"') && text.includes(id)) {
      throw new Error('there is no such function today');
    }
    return undefined;
  };
  test.engine.cloud.disturbances.add(disturb);
  return () => test.engine.cloud.disturbances.delete(disturb);
}

/** A node that takes a document and is never heard of again. */
const silence: LocalNode['managed']['run'] = (_content, _parameters, signal) =>
  new Promise((resolve) => {
    const end = (): void => resolve({ status: 'Cancelled', responseCode: -1, stdout: '', stderr: '' });
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
