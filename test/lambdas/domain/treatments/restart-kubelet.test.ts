import { describe, expect, it } from 'vitest';
import { planFor } from '../../../../lambdas/domain/plan.ts';
import { restartKubelet } from '../../../../lambdas/domain/treatments/restart-kubelet.ts';
import { loadDocument } from '../../../../ssm-documents/load.ts';
import { clusterWith, evidenceWith, missing } from '../sample-evidence.ts';

const mb = 1024;
const leak = { cause: 'kubelet-leak' as const, findings: [] };
const kubelet = (change: Record<string, unknown> = {}) => ({
  status: 'ok',
  value: {
    unit: 'kubelet.service',
    active: 'active',
    sub: 'running',
    result: 'success',
    rssKb: 900 * mb,
    startedSecondsAgo: 90_000,
    ...change,
  },
});
const proposed = (
  change: Record<string, unknown> = {},
  diagnosed: Parameters<typeof restartKubelet.propose>[2] = leak,
  kubeletMetrics: unknown = missing,
) => {
  const evidence = evidenceWith({ kubelet: kubelet(change), kubeletMetrics });
  const answer = restartKubelet.propose(evidence, clusterWith(), diagnosed);
  return 'nothing' in answer ? undefined : answer;
};

describe('restart-kubelet', () => {
  it('says what it gives back, what it costs, and what will be checked', () => {
    const proposal = proposed();

    expect(proposal?.reason).toContain('it holds 900 MB');
    expect(proposal?.reason).toContain('the node is not cordoned');
    expect(proposal?.expects).toMatchObject({ signal: 'kubeletRssKb', atMost: 450 * mb });
  });

  it('passes arguments that its document allows', () => {
    const { parameters } = loadDocument('restart-kubelet').content;

    for (const [name, value] of Object.entries(proposed()?.arguments ?? { none: '' })) {
      expect(parameters[name]?.allowedValues).toContain(value);
    }
  });

  it.each<[string, Record<string, unknown>]>([
    ['has just been started', { startedSecondsAgo: 3599 }],
    ['holds next to nothing', { rssKb: 254 * mb }],
    ['is stopped', { active: 'inactive', sub: 'dead' }],
    ['is started by systemd already', { active: 'activating', sub: 'auto-restart' }],
  ])('leaves a kubelet alone that %s', (_, change) => {
    expect(proposed(change)).toBeUndefined();
  });

  it('restarts one that has failed, and one of unknown age, whose age the document checks', () => {
    const once = { minUptimeSeconds: '3600', maxSeconds: '300' };

    expect(proposed({ active: 'failed', sub: 'failed' })?.arguments).toEqual(once);
    expect(proposed({ startedSecondsAgo: 3600 })?.reason).toContain('it was started 3600 s ago');
    expect(proposed({ startedSecondsAgo: null })?.arguments).toEqual(once);
    expect(proposed({ startedSecondsAgo: null })?.reason).toContain(
      'started less than 3600 s ago, it is left alone',
    );
  });

  it('goes by the later of two starts', () => {
    const kubeletMetrics = { status: 'ok', value: { startedSecondsAgo: 60 } };

    expect(proposed({}, leak, kubeletMetrics)).toBeUndefined();
  });

  it('breaks an OOM cycle only before the next kill', () => {
    const inStage = (variant: string) => proposed({}, { cause: 'kubelet-oom-cycle', variant, findings: [] });

    expect(inStage('climbing')?.reason).toContain('it holds 900 MB');
    for (const stage of ['killed', 'storm', 'settling']) expect(inStage(stage)).toBeUndefined();
  });

  it('asks a person, and is on no other ladder', () => {
    const ladder = (cause: Parameters<typeof planFor>[0]['cause']) =>
      planFor(
        {
          cause,
          confidence: 0.9,
          alsoPossible: [],
          shadow: [],
          findings: [],
          gaps: [],
          explanation: '',
          untreated: '',
          prevention: [],
        },
        evidenceWith({ kubelet: kubelet(), kubeletMetrics: missing }),
        clusterWith(),
      ).plan.map(({ treatment, needs }) => `${treatment} ${needs}`);

    expect(ladder('kubelet-leak')).toEqual(['restart-kubelet approval', 'notify auto']);
    expect(restartKubelet.treats).toEqual(['kubelet-leak', 'kubelet-oom-cycle']);
  });

  it('is nothing for a node that nobody has looked at', () => {
    expect(restartKubelet.propose(undefined, clusterWith(), leak)).toHaveProperty('nothing');
  });
});
