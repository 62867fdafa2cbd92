import { describe, expect, it } from 'vitest';
import { mostBytes } from '../../../lambdas/domain/around/bound.ts';
import { AroundProbes } from '../../../lambdas/domain/evidence/around-probes.ts';
import type { Evidence } from '../../../lambdas/domain/evidence/evidence.ts';
import { keptLooks } from '../../../lambdas/domain/incident-progress.ts';
import type { IncidentState, RungResult } from '../../../lambdas/domain/incident-state.ts';
import {
  aroundOf,
  evidenceAround,
  evidenceOf,
  withoutOutput,
} from '../../../lambdas/handlers/evidence-of.ts';
import { evidenceWith } from '../domain/sample-evidence.ts';
import { openedState } from '../domain/sample-state.ts';

const now = new Date('2026-11-21T06:30:00Z');
const consoleProbe = {
  status: 'ok',
  value: { lines: 1, oomKills: 1, ofKubelet: 1, hungTasks: 0, cgroupNoSpace: 0, panics: 0, last: [] },
};
const around = AroundProbes.parse({ console: consoleProbe });

const answered = (evidence: Evidence): Pick<IncidentState, 'command'> => ({
  command: { status: 'succeeded', waitSeconds: 0, output: JSON.stringify(evidence) },
});
const silent = { command: { status: 'no-answer' as const, waitSeconds: 0, reason: 'the agent is silent' } };

describe('the evidence of an incident', () => {
  it('of a node that answered has what is known around it', () => {
    const examined = evidenceOf(openedState({ ...answered(evidenceWith()), around }));
    expect(examined).toMatchObject({
      evidence: { probes: { console: consoleProbe, cgroups: { status: 'ok' } } },
    });
  });

  it('of a node that did not answer is what is known around it, with the reason at every other question', () => {
    const examined = evidenceOf(openedState({ ...silent, around }));
    expect(examined).toEqual({ gap: { probe: 'evidence', reason: 'the agent is silent' } });
    const evidence =
      'gap' in examined ? evidenceAround(openedState({ ...silent, around }), examined.gap, now) : undefined;
    expect(evidence?.probes).toMatchObject({
      console: consoleProbe,
      host: { status: 'missing', reason: 'the agent is silent' },
    });
  });

  it('says why nothing is known around it where that look itself broke', () => {
    const broken = openedState({
      ...silent,
      aroundError: { Error: 'Sandbox.Timedout', Cause: 'after 30 s' },
    });
    expect(aroundOf(broken)?.trend).toEqual({
      status: 'failed',
      reason: 'the look around the node broke: Sandbox.Timedout: after 30 s',
    });
    expect(evidenceAround(broken, { probe: 'evidence', reason: 'x' }, now)).toBeUndefined();
    expect(evidenceOf(openedState({ ...broken, ...answered(evidenceWith()) }))).toMatchObject({
      evidence: { probes: { trend: { status: 'failed' }, cgroups: { status: 'ok' } } },
    });
  });

  it('is carried on once: not as output of a command, and not beside it', () => {
    const rest = withoutOutput(openedState({ ...answered(evidenceWith()), around, aroundError: {} }));
    expect(rest.command).toEqual({ status: 'succeeded', waitSeconds: 0 });
    expect(Object.keys(rest)).not.toContain('around');
    expect(Object.keys(rest)).not.toContain('aroundError');
  });
});

describe('the state of an incident', () => {
  it('stays below 200 KiB with everything around a node in it, twice, before the look after the last approval', () => {
    // As much as SSM gives of a command, and as much of everything else as may be there.
    const output = 'x'.repeat(24_000);
    const sample = {
      at: now.toISOString(),
      dying: 123_456,
      live: 12_345,
      leakedScopes: 12_345,
      abandonedScopes: 12_345,
      kubeletRssKb: 12_345_678,
      exitedContainers: 12_345,
      throttledRatio: 0.123,
      directStallsPerSecond: 123.4,
      kubelet: 'well' as const,
      nodeReady: true,
      availablePercent: 12.3,
      stalledPercent: 12.34,
      bootId: '00000000-0000-0000-0000-000000000000',
    };
    const result: RungResult = {
      treatment: 'reclaim',
      arguments: { slices: '/user.slice /system.slice /runtime.slice' },
      risk: 'low',
      status: 'done',
      verification: {
        cured: false,
        verdict: 'not-cured',
        findings: Array.from({ length: 8 }, () => ({
          fact: 'f'.repeat(60),
          value: 1,
          speaks: 'against',
          source: 's'.repeat(100),
        })),
        samples: keptLooks(Array.from({ length: 30 }, () => sample)),
      },
    };
    const everything = {
      ...openedState({ results: Array.from({ length: 8 }, () => result) }),
      command: {
        status: 'succeeded',
        waitSeconds: 0,
        output,
        companion: { status: 'succeeded', waitSeconds: 0, output },
      },
      around: 'x'.repeat(mostBytes),
      // Both outputs, read, and what was around the node at the first look.
      evidence: 'x'.repeat(2 * 24_000 + mostBytes),
    };
    expect(Buffer.byteLength(JSON.stringify(everything))).toBeLessThan(200 * 1024);
  });
});
