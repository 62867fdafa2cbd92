import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import { CauseId } from '../../lambdas/domain/causes/cause-id.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import { faults } from '../../local/faults.ts';
import { clusters, startTestEngine, type TestEngine, testSettings } from './test-engine.ts';

// Whole incidents, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine(patientSettings());
});
afterAll(() => test?.close());

/** Nothing here is about time: whoever is slow to answer on a busy machine is waited for. */
function patientSettings(): Settings {
  const settings = testSettings();
  const asked = settings.clusters[clusters.asked];
  return Settings.parse({
    ...settings,
    command: { ...settings.command, evidenceSeconds: 120 },
    clusters: {
      ...settings.clusters,
      [clusters.asked]: {
        ...asked,
        approval: { onePersonTeam: true, expirySeconds: { low: 300, medium: 300, high: 300 } },
      },
    },
  });
}

it('every cause can be had somewhere', () => {
  expect(Object.keys(faults).sort()).toEqual([...CauseId.options].sort());
  for (const [cause, nodes] of Object.entries(faults)) expect(nodes, cause).not.toEqual([]);
});

type Expected = {
  cause: CauseId;
  variant?: string;
  node: string;
  outcome: string;
  /** The treatments that ran, in this order. */
  treated?: string[];
  provisional?: true;
};

// None of these has a treatment of the node: a person is called.
const told: Expected[] = [
  { cause: 'memcg-id-exhaustion', node: 'memcg-ids', outcome: 'unresolved' },
  { cause: 'kubelet-oom-cycle', variant: 'climbing', node: 'kubelet-oom-cycle', outcome: 'unresolved' },
  { cause: 'workload-leak', node: 'workload-leak', outcome: 'unresolved' },
  { cause: 'cpu-quota-throttling', node: 'cpu-quota', outcome: 'unresolved' },
  { cause: 'reclaim-pressure', node: 'reclaim-pressure', outcome: 'unresolved' },
  { cause: 'oversubscribed-node', node: 'oversubscribed', outcome: 'unresolved' },
  { cause: 'agent-leak', variant: 'memory', node: 'agent-memory', outcome: 'unresolved' },
];
const treated: Expected[] = [
  {
    cause: 'kubelet-leak',
    variant: 'pod-workers',
    node: 'kubelet-leak',
    outcome: 'cured',
    treated: ['restart-kubelet'],
    provisional: true,
  },
  {
    cause: 'dead-containers',
    node: 'dead-containers',
    outcome: 'cured',
    treated: ['prune-containers'],
    provisional: true,
  },
  {
    cause: 'leaked-scopes',
    node: 'leaked-scopes',
    outcome: 'cured',
    treated: ['stop-scopes'],
    provisional: true,
  },
];

/** A cluster whose API server is asked, and does not know the node, lets nothing be done to it: it may have a veto. */
function isKnownAround(node: string): boolean {
  return existsSync(resolve(import.meta.dirname, '../../local/nodes', node, 'around.json'));
}

describe('a recorded node with each fault, through the state machine', () => {
  it.each([...told, ...treated])('$cause ($node) ends as $outcome', async (expected) => {
    const { cause, variant, node, outcome, treated: treatments = [], provisional } = expected;
    expect(faults[cause]).toContain(node);
    const cluster = isKnownAround(node) ? clusters.asked : clusters.auto;
    await test.run({ node, cluster, approve: 'yes' }, (incident) => {
      const { record, auditLines, publicKey, messages } = incident;
      expect(record.diagnosis).toMatchObject({ cause });
      expect(record.diagnosis?.variant).toBe(variant);
      expect(record.outcome).toBe(outcome);
      const done = record.rungs.filter(({ result }) => result?.changed);
      expect(done.map(({ treatment }) => treatment)).toEqual(treatments);
      if (outcome === 'cured') {
        expect(done.at(-1)?.verification).toMatchObject({ cured: true, provisional: provisional ?? false });
      } else expect(messages.map(({ kind }) => kind)).toContain('call-a-person');
      const trail = auditLines.map((line) => JSON.parse(line));
      expect(verifyTrail(trail, publicKey)).toMatchObject({ ok: true });
      expect(test.engine.cloud.unanswered).toEqual([]);
    });
  });
});
