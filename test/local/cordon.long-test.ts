import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BudgetStore } from '../../lambdas/adapters/budget-store.ts';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import type { LocalApiServer } from '../../local/cloud/kubernetes-api.ts';
import type { KubernetesObject } from '../../local/cloud/kubernetes-changes.ts';
import type { LocalNode } from '../../local/local-node.ts';
import { localApi, localReplacement } from '../../local/local-settings.ts';
import { inCluster } from './in-cluster.ts';
import {
  clusters,
  startTestEngine,
  stateTable,
  type TestEngine,
  type TestIncident,
  testSettings,
} from './test-engine.ts';

// Whole incidents, with other test files on the same cores.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 240_000 });

const holding = 'holding';
const hasty = 'holding-hasty';
const relieving = 'holding-relieving';

let test: TestEngine;
beforeAll(async () => {
  const settings = testSettings();
  const { [clusters.auto]: auto, [clusters.cautious]: cautious } = settings.clusters;
  const cluster = (settleSeconds: number, replacement: object = {}) => ({
    ...cautious,
    api: localApi,
    replacement: { ...localReplacement, settleSeconds, ...replacement },
    policy: { treatments: { cordon: 'auto', 'restart-kubelet': 'auto' } },
    approval: { onePersonTeam: true, expirySeconds: { low: 200, medium: 200, high: 200 } },
  });
  test = await startTestEngine(
    Settings.parse({
      ...settings,
      // However slow this machine is; and where a node is not to settle, nobody waits for it.
      clusters: {
        [clusters.auto]: auto,
        [holding]: cluster(200),
        [hasty]: cluster(2),
        [relieving]: cluster(200, { evictFirst: 'best-effort' }),
      },
    }),
  );
});
afterAll(() => test?.close());

type Props = Partial<Parameters<TestEngine['run']>[0]>;
type NodeNow = { metadata: { annotations: Record<string, string> }; spec: { unschedulable?: boolean } };
type Line = {
  step: string;
  outcome?: string;
  rung?: number;
  what: string;
  details?: Record<string, unknown>;
};
type Ended = TestIncident & {
  lines: Line[];
  /** Whether the node took no new pods when a state was entered. */
  cordonedAt: Record<string, boolean>;
  after: { unschedulable: boolean; annotations: Record<string, string> };
  patches: number;
  /** Pods that were asked to go. */
  evictions: string[];
};

const serverOf = async (cluster: string): Promise<LocalApiServer> => {
  const one = await test.engine.cloud.clusters.named(cluster);
  if (one === undefined) throw new Error(`${cluster} has no node`);
  return one;
};

/** @param unready a state: from when it is entered, the kubelet says that it is not Ready */
async function incident(props: Props & { unready?: string } = {}): Promise<Ended> {
  const { unready, ...rest } = props;
  const cluster = rest.cluster ?? (unready === undefined ? holding : hasty);
  let node: KubernetesObject | undefined;
  let api: LocalApiServer | undefined;
  const cordonedAt: Record<string, boolean> = {};
  const now = (): NodeNow => api?.changes.node(node as KubernetesObject) as unknown as NodeNow;
  return test.run(
    {
      node: 'kubelet-leak',
      approve: 'no',
      ...rest,
      cluster,
      change(opened: LocalNode) {
        const changed = inCluster(rest.change?.(opened) ?? opened);
        node = changed.managed.around?.cluster?.node as KubernetesObject;
        return changed;
      },
      async before(instanceId, id) {
        await rest.before?.(instanceId, id);
      },
      onEvent(event) {
        rest.onEvent?.(event);
        if (event.type !== 'StateEntered' || event.state === undefined) return;
        if (event.state.name === 'Diagnose') void serverOf(cluster).then((one) => (api = one));
        if (event.state.name === unready) sayUnready(node);
        if (api !== undefined) cordonedAt[event.state.name] ??= now().spec.unschedulable ?? false;
      },
    },
    (ended) => {
      const { metadata, spec } = now();
      const lines: Line[] = ended.auditLines.map((line) => JSON.parse(line));
      const patches =
        api?.asked.filter((one) => one.startsWith('PATCH') && one.includes(ended.instanceId)) ?? [];
      expect(verifyTrail(lines, ended.publicKey)).toMatchObject({ ok: true });
      return {
        ...ended,
        lines,
        cordonedAt,
        after: { unschedulable: spec.unschedulable ?? false, annotations: { ...metadata.annotations } },
        patches: patches.length,
        evictions: (api?.asked ?? []).filter(
          (one) => one.startsWith('POST') && one.includes(ended.instanceId),
        ),
      };
    },
  );
}

function sayUnready(node: KubernetesObject | undefined): void {
  const { conditions } = (node as unknown as { status: { conditions: Record<string, string>[] } }).status;
  for (const one of conditions) {
    Object.assign(one, { status: 'False', reason: 'KubeletNotReady', message: 'PLEG is not healthy' });
  }
}

const free = { unschedulable: false, annotations: {} };
const outcomes = ({ lines }: Ended, step: string) =>
  lines.filter((line) => line.step === step).map(({ outcome }) => outcome);
async function holdsNoPlace({ id }: Ended): Promise<void> {
  const store = new BudgetStore(test.engine.cloud.dynamo, stateTable(test.engine));
  for (const cluster of [holding, hasty, relieving]) {
    const { holders, waiting } = await store.read(cluster);
    expect([...holders, ...waiting].map(({ incident: holder }) => holder)).not.toContain(id);
  }
}

describe.concurrent('a kubelet that is restarted', () => {
  it('gets no new pods from before that until its node has settled', async () => {
    const ended = await incident();

    expect(ended.record).toMatchObject({
      outcome: 'cured',
      rungs: [{ treatment: 'restart-kubelet', status: 'done' }],
    });
    expect(ended.cordonedAt).toMatchObject({
      HoldNode: false,
      SendTreatment: true,
      SettleNode: true,
      Verify: false,
    });
    expect(ended.patches).toBe(2);
    expect(ended.after).toEqual(free);
    const steps = ended.lines.map(({ step }) => step);
    expect(steps.indexOf('cordon.intended')).toBeLessThan(steps.indexOf('treatment.intended'));
    expect(steps.indexOf('cordon.finished')).toBeLessThan(steps.indexOf('treatment.finished'));
    expect(ended.lines.find(({ step }) => step === 'cordon.intended')?.details).toMatchObject({
      undo: { uncordon: { node: expect.stringContaining(ended.instanceId) } },
    });
    expect(outcomes(ended, 'cordon.finished')).toEqual(['done']);
    await holdsNoPlace(ended);
  });

  it('and whose node does not settle is uncordoned, and what is next is to replace the node', async () => {
    const ended = await incident({ unready: 'SendTreatment' });

    expect(ended.record.rungs).toMatchObject([
      {
        treatment: 'restart-kubelet',
        status: 'failed',
        reason: expect.stringMatching(/was not Ready within 2 s: Ready is False: .*PLEG is not healthy/),
        undo: { status: 'nothing' },
      },
      { treatment: 'replace-node', approval: { status: 'denied' } },
    ]);
    expect(ended.record.outcome).toBe('denied');
    expect(ended.after).toEqual(free);
    await holdsNoPlace(ended);
  });

  it('of a node that somebody else has cordoned is restarted if a person says so, and their cordon stays', async () => {
    const ended = await incident({
      approve: 'yes',
      change: (node) => inCluster(node, { unschedulable: true }),
    });

    expect(ended.record).toMatchObject({
      outcome: 'cured',
      rungs: [{ treatment: 'restart-kubelet', status: 'done', approval: { status: 'approved' } }],
    });
    expect(ended.patches).toBe(0);
    expect(ended.after).toEqual({ unschedulable: true, annotations: {} });
    expect(ended.lines.map(({ step }) => step)).not.toContain('cordon.intended');
  });

  it('is not restarted where nobody can say how its node is', async () => {
    let about = '';
    const disturb = ({ service, body }: { service: string; body: Buffer }) => {
      const text = body.toString('utf8');
      if (service === 'lambda' && text.includes('"condition"') && text.includes(about))
        throw new Error('there is no such function today');
      return undefined;
    };
    let on = false;
    const ended = await incident({
      async before(_, id) {
        about = id;
      },
      onEvent({ type, state }) {
        if (on || type !== 'StateEntered' || state?.name !== 'HoldNode') return;
        on = true;
        test.engine.cloud.disturbances.add(disturb);
      },
    }).finally(() => test.engine.cloud.disturbances.delete(disturb));

    expect(ended.record.rungs[0]).toMatchObject({
      treatment: 'restart-kubelet',
      status: 'refused',
      reason: expect.stringContaining('how the node is could not be read'),
    });
    expect(ended.lines.map(({ step }) => step)).not.toContain('treatment.intended');
    expect(ended.after).toEqual(free);
  });
});

describe('a cordon of which nobody hears', () => {
  it('is not asked for again where another incident has taken the node over meanwhile', async () => {
    let about = { instanceId: '', id: '' };
    let stolen = false;
    const disturb = ({ service, body }: { service: string; body: Buffer }) => {
      const text = body.toString('utf8');
      if (stolen || service !== 'lambda' || !text.includes('"do":"cordon"') || !text.includes(about.id))
        return undefined;
      stolen = true;
      void test.engine.cloud.dynamo.send(
        new PutItemCommand({
          TableName: stateTable(test.engine),
          Item: marshall({ pk: `LEASE#${about.instanceId}`, sk: 'LEASE', holder: 'another', fencing: 99 }),
        }),
      );
      throw new Error('there is no such function today');
    };
    test.engine.cloud.disturbances.add(disturb);
    const ended = await incident({
      async before(instanceId, id) {
        about = { instanceId, id };
      },
    }).finally(() => test.engine.cloud.disturbances.delete(disturb));

    expect(stolen).toBe(true);
    expect(ended.patches).toBe(0);
    expect(ended.record.outcome).toBe('failed');
    expect(ended.after).toEqual(free);
  });
});

describe.concurrent('a kubelet that is killed again and again', () => {
  const cycle = {
    node: 'kubelet-oom-cycle',
    change(node: LocalNode) {
      // Recorded is one that was started less than an hour ago, and that is left alone.
      const file = join(node.root ?? '', 'var/lib/recorded/unit/kubelet.service');
      const started = readFileSync(file, 'utf8').replaceAll('1842440000000', '1836440000000');
      writeFileSync(file, started);
      return node;
    },
  } as const;

  it('has its node cordoned first, restarted next, and uncordoned once it has settled', async () => {
    const ended = await incident(cycle);

    expect(ended.record.rungs.slice(0, 2)).toMatchObject([
      { treatment: 'cordon', status: 'done' },
      { treatment: 'restart-kubelet', status: 'done' },
    ]);
    expect(ended.cordonedAt).toMatchObject({ NextRung: true, SendTreatment: true, Verify: false });
    expect(ended.patches).toBe(2);
    expect(ended.after).toEqual(free);
    await holdsNoPlace(ended);
  });

  it('keeps its cordon while it does not settle and a person is asked, and loses it with the end of the incident', async () => {
    const budgets = new BudgetStore(test.engine.cloud.dynamo, stateTable(test.engine));
    const heldFor = new Map<string, number>();
    const ended = await incident({
      ...cycle,
      unready: 'SendTreatment',
      async approve() {
        const { holders } = await budgets.read(hasty);
        for (const { incident: holder, until } of holders)
          heldFor.set(holder, Date.parse(until) - Date.now());
        return { decision: 'deny', reason: 'not this one' };
      },
    });

    // Far more than the two hours of an approval, although its restart has asked for its place again since the cordon.
    expect(heldFor.get(ended.id)).toBeGreaterThan(20 * 3_600_000);
    expect(ended.record.rungs).toMatchObject([
      { treatment: 'cordon', status: 'done' },
      { treatment: 'restart-kubelet', status: 'failed' },
      { treatment: 'replace-node', approval: { status: 'denied' } },
    ]);
    expect(outcomes(ended, 'cordon.finished')).toEqual(['kept']);
    expect(ended.cordonedAt).toMatchObject({ SettleNode: true, RequestApproval: true, Close: true });
    expect(ended.record.outcome).toBe('denied');
    expect(ended.after).toEqual(free);
    expect(ended.lines.map(({ step }) => step)).not.toContain('janitor.started');
    await holdsNoPlace(ended);
  });

  it('is uncordoned by the janitor where its execution is stopped with the cordon', async () => {
    const ended = await incident({ ...cycle, stopAt: 'NextRung' });

    expect(ended.execution.status).toBe('ABORTED');
    expect(ended.cordonedAt.NextRung).toBe(true);
    expect(outcomes(ended, 'undo.finished')).toEqual(['done']);
    expect(ended.after).toEqual(free);
    await holdsNoPlace(ended);
  });

  const withPods = (node: LocalNode): LocalNode => {
    const known = cycle.change(node);
    const { instanceId, around } = known.managed;
    if (around?.cluster === undefined) throw new Error(`nothing is known around ${node.title}`);
    const pod = (name: string, qosClass: string) => ({
      metadata: {
        name: `${name}-${instanceId}`,
        namespace: 'shop',
        uid: `uid-${name}-${instanceId}`,
        ownerReferences: [{ kind: 'ReplicaSet', name, controller: true }],
      },
      spec: { containers: [{ name }] },
      status: { phase: 'Running', qosClass },
    });
    const pods = [pod('batch', 'BestEffort'), pod('web', 'Burstable'), pod('report', 'BestEffort')];
    return {
      ...known,
      managed: { ...known.managed, around: { ...around, cluster: { ...around.cluster, pods } } },
    };
  };
  const evicted = ({ evictions, instanceId }: Ended) =>
    evictions.map((one) => /pods\/(\w+)-/.exec(one.replaceAll(instanceId, ''))?.[1]);

  it('has pods that ask for nothing evicted between the two where the settings say so, once a person agrees', async () => {
    const ended = await incident({ ...cycle, change: withPods, cluster: relieving, approve: 'yes' });

    expect(ended.record.rungs.slice(0, 3)).toMatchObject([
      { treatment: 'cordon', status: 'done' },
      {
        treatment: 'evict-pods',
        status: 'done',
        approval: { status: 'approved' },
        result: { changed: true, details: { evicted: 2 } },
      },
      { treatment: 'restart-kubelet', status: 'done' },
    ]);
    // Those of one round are asked for at the same time.
    expect(evicted(ended).toSorted()).toEqual(['batch', 'report']);
    expect(ended.cordonedAt).toMatchObject({ ReplaceStep: true, SendTreatment: true, Verify: false });
    const intended = ended.lines.find(({ step }) => step === 'replacement.intended');
    expect(intended?.what).toMatch(/these pods are about to be evicted: shop\/batch-\S+, shop\/report-/);
    expect(ended.patches).toBe(2);
    expect(ended.after).toEqual(free);
    await holdsNoPlace(ended);
  });

  it('has no pod evicted where a veto comes before that, and is uncordoned', async () => {
    let vetoed = false;
    let about = '';
    const ended = await incident({
      ...cycle,
      change: withPods,
      cluster: relieving,
      approve: 'yes',
      async before(instanceId) {
        about = instanceId;
      },
      onEvent({ type, state }) {
        const { replacement } = (state?.input ?? {}) as { replacement?: { at: string } };
        if (vetoed || type !== 'StateEntered' || replacement?.at !== 'evict') return;
        vetoed = true;
        const node = test.engine.cloud.ssm.nodes.find((one) => one.instanceId === about);
        if (node !== undefined) {
          test.engine.cloud.ssm.attach({ ...node, tags: { ...node.tags, 'cgroup-medic/veto': 'wait' } });
        }
      },
    });

    expect(ended.record.rungs.slice(0, 2)).toMatchObject([
      { treatment: 'cordon', status: 'done' },
      { treatment: 'evict-pods', status: 'refused', reason: expect.stringContaining('cgroup-medic/veto') },
    ]);
    expect(evicted(ended)).toEqual([]);
    expect(ended.lines.map(({ step }) => step)).not.toContain('treatment.sent');
    expect(ended.after).toEqual(free);
    await holdsNoPlace(ended);
  });
});
