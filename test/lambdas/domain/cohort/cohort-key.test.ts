import { describe, expect, it } from 'vitest';
import { cohortKey, type SameAct } from '../../../../lambdas/domain/cohort/cohort-key.ts';
import { factsOf } from '../../../../lambdas/domain/cohort/facts.ts';
import { evidenceWith } from '../sample-evidence.ts';

const act: SameAct = {
  diagnosis: { cause: 'kubelet-leak', variant: 'heap' },
  rung: {
    treatment: 'restart-kubelet',
    arguments: { unit: 'kubelet.service' },
    document: 'restart-kubelet',
    risk: 'medium',
    disrupts: true,
    onceStopped: false,
  },
  documentDigest: 'digest',
  asks: ['mode', 'recurrence'],
  requestedBy: undefined,
};

describe('what one decision is about', () => {
  it('is the same whatever the order of the gates that ask', () => {
    expect(cohortKey({ ...act, asks: ['recurrence', 'mode'] })).toBe(cohortKey(act));
  });

  it.each<[string, SameAct]>([
    ['cause', { ...act, diagnosis: { ...act.diagnosis, cause: 'kubelet-oom-cycle' } }],
    ['variant', { ...act, diagnosis: { cause: 'kubelet-leak' } }],
    ['treatment', { ...act, rung: { ...act.rung, treatment: 'drop-caches' } }],
    ['arguments', { ...act, rung: { ...act.rung, arguments: { unit: 'k3s.service' } } }],
    ['document', { ...act, documentDigest: 'another' }],
    ['risk', { ...act, rung: { ...act.rung, risk: 'high' } }],
    ['disruption', { ...act, rung: { ...act.rung, disrupts: false } }],
    ['place on the ladder', { ...act, rung: { ...act.rung, onceStopped: true } }],
    ['gates that ask', { ...act, asks: ['mode'] }],
    ['gates that ask, of which there are none', { ...act, asks: [] }],
    ['person who started it', { ...act, requestedBy: 'ana' }],
  ])('is another with another %s', (_, other) => {
    expect(cohortKey(other)).not.toBe(cohortKey(act));
  });
});

describe('what a node may have in common with others', () => {
  it('is what the diagnosis names, and kernel and system, and no figure', () => {
    const evidence = evidenceWith({
      host: {
        status: 'ok',
        value: {
          kernel: '6.1.90',
          os: 'Amazon Linux 2023',
          bootId: null,
          uptimeSeconds: 1,
          cpus: 4,
          systemdVersion: 252,
          instanceId: null,
        },
      },
    });
    const findings = [
      { fact: 'service', value: 'agent.service', speaks: 'for', source: 's' },
      { fact: 'restarts', value: 400, speaks: 'for', source: 's' },
      { fact: 'dying cgroups', value: 'few', speaks: 'against', source: 's' },
    ] as const;
    expect(factsOf({ findings: [...findings] }, evidence)).toEqual([
      'service: agent.service',
      'kernel: 6.1.90',
      'system: Amazon Linux 2023',
    ]);
    expect(factsOf({ findings: [] }, undefined)).toEqual([]);
  });
});
