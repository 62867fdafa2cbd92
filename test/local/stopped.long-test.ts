import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HistoryStore } from '../../lambdas/adapters/history-store.ts';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import { nobodyDisrupted, type Place } from '../../lambdas/domain/gates/budget.ts';
import type { KubernetesObject } from '../../local/cloud/kubernetes-changes.ts';
import { samplePast } from '../lambdas/domain/history/sample-past.ts';
import { withBrokenReclaim } from './broken-reclaim.ts';
import { inCluster } from './in-cluster.ts';
import { asOneOfMany } from './one-of-many.ts';
import { protectionsOf, recordedProtections } from './protections.ts';
import { runCommand } from './run-command.ts';
import { clusters, startTestEngine, stateTable, type TestEngine, type TestIncident } from './test-engine.ts';

// Whole incidents, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

type Way = Pick<Parameters<TestEngine['run']>[0], 'node' | 'cluster' | 'approve' | 'change' | 'before'>;

const treated: Way = { node: 'v2-zombies' };
const approved: Way = { node: 'v2-zombies', cluster: clusters.approve, approve: 'yes' };
const undone: Way = { node: 'v2-zombies', cluster: clusters.cautious, change: withBrokenReclaim };

const held: Way = {
  node: 'kubelet-leak',
  cluster: clusters.replacing,
  approve: 'yes',
  change: (node) => inCluster(node),
};
const replaced: Way = { node: 'memcg-ids', cluster: clusters.replacing, approve: 'yes', change: asOneOfMany };

const paused: Way = {
  node: 'v2-zombies',
  cluster: clusters.paused,
  async before() {
    const args = [clusters.paused, '--reason', 'a test', '--until', '10m'];
    expect(await runCommand('pause.ts', args, test.engine.cloud)).toMatchObject({ code: 0 });
  },
};

/** The only place for a node that is disrupted, taken by somebody else while a person is asked. */
const crowded: Way = {
  node: 'kubelet-leak',
  cluster: clusters.crowdedAsking,
  async approve() {
    const now = Date.now();
    const holder: Place = {
      incident: 'another',
      instanceId: 'i-0fedcba9876543210',
      nodeGroup: 'unknown',
      zone: 'us-east-1a',
      treatment: 'restart-kubelet',
      since: new Date(now).toISOString(),
      until: new Date(now + 3_600_000).toISOString(),
    };
    await test.engine.cloud.dynamo.send(
      new PutItemCommand({
        TableName: stateTable(test.engine),
        Item: marshall({
          pk: `BUDGET#${clusters.crowdedAsking}`,
          sk: 'BUDGET',
          state: JSON.stringify({ ...nobodyDisrupted, holders: [holder] }),
          revision: 1000,
        }),
      }),
    );
    return { decision: 'approve' };
  },
};

const nodeGroup = 'workers';
/** One node of a group in which reclaim has helped often enough. */
const ofGroup: Way = {
  ...approved,
  change: (node) => ({ ...node, managed: { ...node.managed, tags: { 'eks:nodegroup-name': nodeGroup } } }),
  async before() {
    const history = new HistoryStore(test.engine.cloud.dynamo, stateTable(test.engine));
    const helped = { nodeGroup, closedAt: new Date(Date.now() - 3_600_000).toISOString() };
    for (const incident of ['one', 'two', 'three'])
      await history.remember(clusters.approve, samplePast({ ...helped, incident }));
  },
};

/** A way through the state machine to each of its states. */
const wayTo: Record<string, Way> = {
  ...ways(treated, [
    'Open',
    'LeaseTaken?',
    'SendExamine',
    'ExamineRunning?',
    'WaitForExamine',
    'PollExamine',
    'ExamineAround',
    'Diagnose',
    'Plan',
    'AnythingToDo?',
    'Gate',
    'GateOpen?',
    'TreatmentKind?',
    'SendTreatment',
    'TreatmentRunning?',
    'WaitForTreatment',
    'PollTreatment',
    'RecordTreatment',
    'Treated?',
    'WaitForSample',
    'SendVerify',
    'VerifyRunning?',
    'WaitForVerify',
    'PollVerify',
    'Verify',
    'Verdict?',
  ]),
  ...ways(approved, [
    'RequestApproval',
    'SettleApproval',
    'Approved?',
    'SendRecheck',
    'RecheckRunning?',
    'WaitForRecheck',
    'PollRecheck',
    'RecheckAround',
    'Recheck',
    'StillTrue?',
  ]),
  ...ways(paused, ['WaitAtGate']),
  ...ways(crowded, ['WaitAtRecheck']),
  ...ways(ofGroup, ['BeginStanding', 'Begun?']),
  ...ways(held, ['HoldNode', 'Held?', 'SettleNode', 'Settled?', 'WaitForSettling']),
  ...ways(replaced, ['ReplaceStep', 'ReplacementOver?', 'WaitForReplacement']),
  ...ways(undone, [
    'SendUndo',
    'UndoRunning?',
    'WaitForUndo',
    'PollUndo',
    'RecordUndo',
    'Undone?',
    'NextRung',
    'RungLeft?',
    'Notify',
    'Close',
  ]),
};

/** A stop in the last Choice comes after the incident was closed. */
const notReachable = ['Outcome?'];
/** The function that closes may finish under the janitor's hands: nothing lies between these and it. */
const closes = ['Close', 'Begun?'];

describe.concurrent('an execution stopped from outside', () => {
  it('is tried in every state that does something', () => {
    const states = test.engine.stateMachine.definition.States as Record<string, { Type: string }>;
    const active = Object.entries(states).filter(([, { Type }]) => Type !== 'Succeed' && Type !== 'Fail');
    expect(active.map(([name]) => name).sort()).toEqual([...Object.keys(wayTo), ...notReachable].sort());
  });

  it.each(Object.entries(wayTo))('in %s: the janitor tidies up', async (stopAt, way) => {
    await test.run({ ...way, stopAt }, async (incident) => {
      const { execution, auditLines, record } = incident;
      expect(execution.status).toBe('ABORTED');
      expect(
        execution.history.filter(({ type }) => type === 'StateEntered').map(({ state }) => state),
      ).toContain(stopAt);
      expect(execution.deliveries).toHaveLength(1);
      expect(execution.deliveries[0]?.error).toBeUndefined();
      // The second try then finds everything done.
      if (!closes.includes(stopAt)) expect(execution.deliveries[0]?.tries).toBe(1);

      expect(await incident.leaseHolder()).toBeUndefined();
      const trail = auditLines.map((line) => JSON.parse(line));
      expect(verifyTrail(trail, incident.publicKey)).toMatchObject({ ok: true });
      expect(trail.some(({ step }) => step === 'incident.closed')).toBe(true);
      expect(protectionsOf(incident.node.root ?? '')).toEqual(recordedProtections(incident.node.title));
      expect(await isCordoned(incident, way.cluster)).toBe(false);
      // Stopped while it closed, the incident may have come to its own end, and then it is told as it was.
      if (!closes.includes(stopAt)) {
        expect(record.outcome).toBe('failed');
        expect(trail.filter(({ step }) => step === 'janitor.finished')).toHaveLength(1);
        expect(incident.messages.map(({ kind }) => kind)).toContain('call-a-person');
      }
    });
  });
});

/** Whether its node takes no new pods by now; of one that no cluster was asked about, nobody has cordoned it. */
async function isCordoned({ node }: TestIncident, cluster = ''): Promise<boolean> {
  const object = node.managed.around?.cluster?.node;
  const server = object === undefined ? undefined : await test.engine.cloud.clusters.named(cluster);
  if (object === undefined || server === undefined) return false;
  const { spec } = server.changes.node(object as KubernetesObject) as { spec?: { unschedulable?: boolean } };
  return spec?.unschedulable ?? false;
}

function ways(way: Way, states: string[]): Record<string, Way> {
  return Object.fromEntries(states.map((state) => [state, way]));
}
