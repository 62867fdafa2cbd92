import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import { IncidentState } from '../../lambdas/domain/incident-state.ts';
import { growthPerDay } from '../../lambdas/domain/trend.ts';
import type { ExecutionEvent } from '../../local/engine/run-state-machine.ts';
import { clusters, startTestEngine, type TestEngine, type TestIncident } from './test-engine.ts';

// Whole incidents, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

/** Runs one incident and gives it, with the state after each of its states, to `look`. */
function run<T>(
  props: { node: string; cluster?: string },
  look: (incident: TestIncident, stateAfter: (name: string) => IncidentState) => T,
): Promise<T> {
  const outputs = new Map<string, unknown>();
  const onEvent = ({ type, state }: ExecutionEvent): void => {
    if (type === 'StateExited' && state?.output !== undefined) outputs.set(state.name, state.output);
  };
  return test.run({ ...props, onEvent }, (incident) => {
    const trail = incident.auditLines.map((line) => JSON.parse(line));
    expect(verifyTrail(trail, incident.publicKey)).toMatchObject({ ok: true });
    expect(test.engine.cloud.unanswered).toEqual([]);
    return look(incident, (name) => IncidentState.parse(outputs.get(name)));
  });
}

function entry({ auditLines }: TestIncident, step: string) {
  return auditLines.map((line) => JSON.parse(line)).find((one) => one.step === step);
}

describe.concurrent('an incident that looks around the node', () => {
  it('that is silent: the API server says NotReady, and the console that the kubelet was OOM-killed', async () => {
    await run({ node: 'silent-notready', cluster: clusters.asked }, (incident, stateAfter) => {
      const { evidence, around } = stateAfter('Diagnose');
      const probes = evidence?.probes;
      expect(probes?.nodeStatus).toMatchObject({
        status: 'ok',
        value: {
          conditions: expect.arrayContaining([
            expect.objectContaining({ type: 'Ready', status: 'Unknown', sinceSeconds: expect.any(Number) }),
          ]),
          nodeGroup: 'batch',
          taints: expect.arrayContaining(['node.kubernetes.io/unreachable=:NoExecute']),
        },
      });
      expect(probes?.console).toMatchObject({
        status: 'ok',
        value: { oomKills: 3, ofKubelet: 3, hungTasks: 1 },
      });
      expect(probes?.nodeEvents).toMatchObject({ status: 'ok' });
      expect(probes?.podStatus).toMatchObject({
        value: { oomKilled: [{ limitKb: 2_097_152, restarts: 3 }] },
      });
      expect(probes?.kubeletMetrics).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('503'),
      });
      expect(probes?.cgroups).toMatchObject({
        status: 'missing',
        reason: expect.stringContaining('did not answer'),
      });
      expect(evidence && growthPerDay(evidence, 'kubeletRssKb')?.perDay).toBeGreaterThan(2_000_000);
      // It has become part of the evidence, and is not carried twice.
      expect(around).toBeUndefined();
      expect(incident.record.diagnosis?.cause).not.toBe('healthy');
      expect(JSON.stringify(incident.record.diagnosis?.gaps)).toContain('did not answer');
      expect(incident.messages.map(({ kind }) => kind)).toContain('call-a-person');
      expect(entry(incident, 'examination.around')).toMatchObject({
        details: { access: 'vpc', gaps: { kubeletMetrics: expect.any(String) } },
      });
    });
  });

  it('that answers: a day of metrics is a finding, and the kubelet has told its own', async () => {
    await run({ node: 'v2-trend', cluster: clusters.askedToo }, (incident, stateAfter) => {
      const probes = stateAfter('Diagnose').evidence?.probes;
      expect(incident.record).toMatchObject({ outcome: 'cured', diagnosis: { cause: 'dying-memcgs' } });
      expect(incident.record.diagnosis?.findings).toContainEqual(
        expect.objectContaining({
          fact: 'their growth, per day',
          speaks: 'for',
          source: expect.stringContaining('CloudWatch: '),
        }),
      );
      expect(probes?.kubeletMetrics).toMatchObject({ value: { goroutines: 241, runningContainers: 15 } });
      expect(probes?.nodeStatus).toMatchObject({ value: { pods: { running: 3 } } });
      expect(probes?.console).toMatchObject({ status: 'missing' });
    });
  });

  it('without a way to the API server and without metrics: gaps that say how to switch them on', async () => {
    await run({ node: 'silent' }, (incident, stateAfter) => {
      expect(stateAfter('Diagnose').evidence).toBeUndefined();
      const gaps = incident.record.diagnosis?.gaps ?? [];
      expect(gaps[0]).toMatchObject({ probe: 'evidence', reason: expect.stringContaining('did not answer') });
      expect(gaps).toContainEqual({
        probe: 'nodeStatus',
        reason:
          'the API server is not asked: clusters.local.api.access is none; docs/around.md says how to switch it on',
      });
      expect(gaps.map(({ probe }) => probe)).toEqual(
        expect.arrayContaining(['trend', 'console', 'kubeletMetrics']),
      );
      expect(incident.record.outcome).toBe('unresolved');
    });
  });

  it('whose cluster EKS does not know: a gap with the answer of EKS, and the node is treated all the same', async () => {
    await run({ node: 'v2-zombies', cluster: clusters.unknown }, (incident) => {
      expect(incident.record.outcome).toBe('cured');
      expect(incident.record.diagnosis?.gaps).toContainEqual({
        probe: 'nodeStatus',
        reason: expect.stringMatching(/^ResourceNotFoundException: No cluster found/),
      });
    });
  });
});
