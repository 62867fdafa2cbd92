import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BudgetState, nobodyDisrupted, type Place } from '../../lambdas/domain/gates/budget.ts';
import { clusters, startTestEngine, stateTable, type TestEngine, type TestIncident } from './test-engine.ts';

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());
beforeEach(async () => {
  for (const cluster of [clusters.crowded, clusters.hasty, clusters.crowdedAsking])
    await setBudget(cluster, nobodyDisrupted);
});

const key = (cluster: string) => marshall({ pk: `BUDGET#${cluster}`, sk: 'BUDGET' });

async function budget(cluster: string): Promise<BudgetState> {
  const { Item } = await test.engine.cloud.dynamo.send(
    new GetItemCommand({ TableName: stateTable(test.engine), Key: key(cluster), ConsistentRead: true }),
  );
  return BudgetState.parse(JSON.parse(unmarshall(Item ?? {}).state));
}

async function setBudget(cluster: string, state: unknown): Promise<void> {
  await test.engine.cloud.dynamo.send(
    new PutItemCommand({
      TableName: stateTable(test.engine),
      Item: { ...key(cluster), ...marshall({ state: JSON.stringify(state), revision: 1000 }) },
    }),
  );
}

/** A place that somebody holds elsewhere, for an hour or for so long. */
function elsewhere(seconds = 3600, zone = 'us-east-1a'): Place {
  return {
    incident: 'another',
    instanceId: 'i-0fedcba9876543210',
    nodeGroup: 'unknown',
    zone,
    treatment: 'restart-kubelet',
    since: new Date().toISOString(),
    until: new Date(Date.now() + seconds * 1000).toISOString(),
  };
}

type Run = Parameters<TestEngine['run']>[0];
const run = (props: Partial<Run> = {}) =>
  test.run({ node: 'kubelet-leak', cluster: clusters.crowded, ...props }, (incident) => incident);
const steps = ({ auditLines }: TestIncident) => auditLines.map((line) => JSON.parse(line));
const entry = (incident: TestIncident, step: string) => steps(incident).find((one) => one.step === step);
const cured = { outcome: 'cured', rungs: [{ treatment: 'restart-kubelet', status: 'done' }] };

describe('a treatment that disrupts, where one node may be disrupted at a time', () => {
  it('waits for the place of another incident, and goes on when that has ended', async () => {
    const both = await Promise.all([run(), run()]);
    for (const { record } of both) expect(record).toMatchObject(cured);
    const waited = both.filter((one) => entry(one, 'gated').outcome === 'wait');
    expect(waited).toHaveLength(1);
    const [second] = waited as [TestIncident];
    const [first] = both.filter((one) => one !== second) as [TestIncident];
    // One entry when it begins to wait, however often it asked.
    const gated = steps(second).filter(({ step }) => step === 'gated');
    expect(gated.filter(({ outcome }) => outcome === 'wait')).toHaveLength(1);
    expect(gated[0].what).toContain(`held by ${first.id} (restart-kubelet on ${first.instanceId}, until`);
    expect(Date.parse(entry(second, 'treatment.intended').at)).toBeGreaterThan(
      Date.parse(entry(first, 'verified').at),
    );
    expect(await budget(clusters.crowded)).toEqual(nobodyDisrupted);
    const figures = test.engine.cloud.metrics.filter(
      ({ name, dimensions }) => name === 'BudgetHeld' && dimensions.Cluster === clusters.crowded,
    );
    // In whichever order the logs of two functions are read.
    expect(figures.map(({ value }) => value).sort()).toEqual([0, 0, 1, 1]);
  }, 240_000);

  it('that nobody waits for is left out, with who holds the place and until when', async () => {
    const place = elsewhere();
    await setBudget(clusters.hasty, { ...nobodyDisrupted, holders: [place] });
    const { record } = await run({ cluster: clusters.hasty });
    expect(record).toMatchObject({
      outcome: 'unresolved',
      rungs: [{ treatment: 'restart-kubelet', status: 'skipped' }, {}],
    });
    expect(record.rungs[0]?.gate?.reason).toContain(
      `held by another (restart-kubelet on ${place.instanceId}, until ${place.until} at the latest)`,
    );
    expect(await budget(clusters.hasty)).toEqual({ ...nobodyDisrupted, holders: [place] });
  }, 120_000);

  it('is not sent where its place is gone just before', async () => {
    let taken: Promise<void> | undefined;
    const incident = await run({
      onEvent({ type, state }) {
        if (type !== 'StateExited' || state?.name !== 'Gate') return;
        taken ??= setBudget(clusters.crowded, { ...nobodyDisrupted, holders: [elsewhere()] });
      },
    });
    await taken;
    expect(incident.record.rungs[0]).toMatchObject({
      treatment: 'restart-kubelet',
      status: 'refused',
      reason: expect.stringContaining('its place in the budget of the cluster has expired'),
    });
    expect(entry(incident, 'treatment.intended')).toBeUndefined();
  }, 120_000);

  it('is refused where the budget cannot be read', async () => {
    await setBudget(clusters.crowded, { version: 7 });
    const incident = await run();
    expect(incident.record.outcome).toBe('refused');
    expect(incident.record.reason).toContain('how many nodes are being disrupted could not be asked');
    expect(entry(incident, 'treatment.intended')).toBeUndefined();
  }, 120_000);

  it('holds no place while people are asked, tells them of the budget, and waits after they have agreed', async () => {
    const cluster = clusters.crowdedAsking;
    let whileAsked: BudgetState | undefined;
    const texts: string[] = [];
    const incident = await run({
      cluster,
      approve: async ({ text }) => {
        texts.push(text);
        whileAsked = await budget(cluster);
        await setBudget(cluster, { ...nobodyDisrupted, holders: [elsewhere(12)] });
        return { decision: 'approve' };
      },
    });
    expect(whileAsked).toEqual(nobodyDisrupted);
    expect(texts).toEqual([
      expect.stringContaining(
        '\nBudget: 0 of at most 1 node of group unknown are being disrupted, 0 of 1 in zone us-east-1a, 0 of 1 in the cluster; this one would be the first.\n',
      ),
    ]);
    const rechecked = steps(incident).filter(({ step }) => step === 'rechecked');
    expect(rechecked.map(({ outcome }) => outcome)).toEqual(['wait', 'pass']);
    expect(rechecked[0].what).toContain('held by another');
    expect(incident.record).toMatchObject(cured);
    expect((await budget(cluster)).holders).toEqual([]);
  }, 240_000);

  it('keeps no place where the node has moved on since it was approved, nor for the rungs after one that did not help', async () => {
    const cluster = clusters.crowdedAsking;
    const whileAsked: unknown[] = [];
    let root = '';
    let next: Promise<BudgetState> | undefined;
    const incident = await run({
      node: 'v2-nothing',
      cluster,
      change(node) {
        root = node.root ?? '';
        return node;
      },
      approve: async () => {
        whileAsked.push((await budget(cluster)).holders);
        const boot = join(root, 'proc/sys/kernel/random/boot_id');
        if (whileAsked.length === 1) writeFileSync(boot, '00000000-0000-4000-8000-00000000000a\n');
        return { decision: 'approve' };
      },
      onEvent({ type, state }) {
        if (type === 'StateExited' && state?.name === 'NextRung') next = budget(cluster);
      },
    });
    const rechecked = steps(incident).filter(({ step }) => step === 'rechecked');
    expect(rechecked.map(({ outcome }) => outcome)).toEqual(['void', 'pass']);
    // Taken both times.
    for (const { details } of rechecked) {
      expect(details.gates).toContainEqual(
        expect.objectContaining({ gate: 'budget', reason: expect.stringContaining('a place is taken') }),
      );
    }
    expect(whileAsked).toEqual([[], []]);
    expect(incident.record.rungs.map(({ treatment }) => treatment)).toEqual([
      'reclaim',
      'drop-caches',
      'notify',
    ]);
    expect((await next)?.holders).toEqual([]);
  }, 240_000);

  it('gives its place back by the janitor where its execution dies, and leaves the line as well', async () => {
    let held: Promise<BudgetState> | undefined;
    const dead = await run({
      stopAt: 'PollTreatment',
      onEvent({ type, state }) {
        if (type === 'StateExited' && state?.name === 'SendTreatment') held = budget(clusters.crowded);
      },
    });
    expect((await held)?.holders).toMatchObject([{ incident: dead.id, treatment: 'restart-kubelet' }]);
    expect(await budget(clusters.crowded)).toEqual(nobodyDisrupted);

    const place = elsewhere();
    await setBudget(clusters.crowded, { ...nobodyDisrupted, holders: [place] });
    const waiting = await run({ stopAt: 'WaitAtGate' });
    expect(entry(waiting, 'gated').outcome).toBe('wait');
    expect(await budget(clusters.crowded)).toEqual({ ...nobodyDisrupted, holders: [place] });
  }, 240_000);
});
