import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../../lambdas/domain/causes/cause.ts';
import { explainInconclusive, type Judged } from '../../../../lambdas/domain/causes/inconclusive.ts';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { Evidence } from '../../../../lambdas/domain/evidence/evidence.ts';
import { evidenceWith, missing, notHere } from '../sample-evidence.ts';
import { thresholds } from './judge.ts';

const nothing = (reason: string) =>
  Evidence.parse({
    version: 1,
    document: 'collect-evidence',
    profile: 'full',
    collectedAt: '2026-11-21T06:30:00Z',
    probes: Object.fromEntries(
      Object.keys(Evidence.shape.probes.shape).map((probe) => [probe, { status: 'failed', reason }]),
    ),
  });

describe('explainInconclusive', () => {
  it('says of each open cause what is missing, why, and how to get it', () => {
    const { explanation } = diagnose(
      evidenceWith({ sessions: { status: 'failed', reason: 'loginctl took too long' } }),
      thresholds,
    );

    expect(explanation).toContain('session-churn (needs sessions)');
    expect(explanation).toContain('sessions (loginctl took too long): run the document collect-services');
    expect(explanation).toContain('This is not a finding of health');
  });

  it.each([
    ['memory', 'collect-evidence'],
    ['agents', 'collect-services'],
    ['nodeStatus', 'kubectl describe node'],
    ['trend', 'CloudWatch'],
    ['console', 'get-console-output'],
  ])('knows a way to %s', (probe, way) => {
    const gaps = [{ probe, reason: 'gone' }];

    expect(explainInconclusive([], gaps)).toContain(`To collect next:\n- ${probe} (gone): `);
    expect(explainInconclusive([], gaps)).toContain(way);
  });

  it('puts what open verdicts need before the rest, and what most of them need first', () => {
    const verdict = (...needs: string[]) =>
      ({ result: 'insufficient-evidence', needs, findings: [] }) satisfies Verdict;
    const text = explainInconclusive(
      [
        { id: 'kubelet-leak', verdict: verdict('trend', 'kubelet') },
        { id: 'dead-containers', verdict: verdict('kubelet') },
      ],
      [
        { probe: 'memory', reason: 'a' },
        { probe: 'trend', reason: 'b' },
        { probe: 'kubelet', reason: 'c' },
      ],
    );

    const next = text.slice(text.indexOf('To collect next'));
    expect(next.indexOf('kubelet (c)')).toBeLessThan(next.indexOf('trend (b)'));
    expect(next.indexOf('trend (b)')).toBeLessThan(next.indexOf('memory (a)'));
  });

  it('takes the reason of a part where it has one of its own, and says so where there is none', () => {
    const judged: Judged[] = [
      {
        id: 'kubelet-leak',
        verdict: { result: 'insufficient-evidence', needs: ['kubelet.config', 'trend.dying'], findings: [] },
      },
    ];

    expect(explainInconclusive(judged, [{ probe: 'kubelet.config', reason: 'no file' }])).toContain(
      'kubelet.config (no file)',
    );
    expect(explainInconclusive(judged, [])).toContain('trend.dying (it was not read)');
  });

  it('stays short, however much is missing and however long the reasons are', () => {
    const { explanation } = diagnose(nothing('x'.repeat(500)), thresholds);

    expect(explanation.length).toBeLessThan(3000);
    expect(explanation).not.toContain('x'.repeat(91));
    expect(explanation).toMatch(/and \d+ more/);
  });

  it('stays short where every reason is another one', () => {
    const probes = Object.keys(Evidence.shape.probes.shape);
    const gaps = probes.map((probe) => ({ probe, reason: probe + 'x'.repeat(500) }));

    expect(explainInconclusive([], gaps).length).toBeLessThan(4000);
  });

  it('says once what several have in common', () => {
    const gaps = ['memory', 'pressure'].map((probe) => ({ probe, reason: 'gone' }));

    expect(explainInconclusive([], gaps)).toContain('memory, pressure (gone): ');
  });

  it('asks for nothing that the node has nothing of, and for what nobody has asked about', () => {
    const next = (reason: string) => {
      const agents = { status: 'missing', reason };
      const { explanation } = diagnose(evidenceWith({ agents, cgroups: missing }), thresholds);
      return explanation.slice(explanation.indexOf('To collect next'));
    };

    expect(next('systemd does not run here')).not.toContain('agents');
    expect(next('not collected')).toContain('agents (not collected): run the document collect-services');
  });

  it('names nothing that was seen as missing', () => {
    expect(diagnose(evidenceWith({ console: notHere }), thresholds).cause).toBe('healthy');
    expect(explainInconclusive([], [])).not.toContain('To collect next');
  });
});
