import { describe, expect, it } from 'vitest';
import { supersedeGate } from '../../../../lambdas/domain/gates/supersede-gate.ts';
import type { Past } from '../../../../lambdas/domain/history/past.ts';
import { samplePast } from '../history/sample-past.ts';

const rung = { kind: 'document' } as const;
const replaced = (came: string, incident = 'inc-9') =>
  samplePast({
    incident,
    done: [
      { treatment: 'reclaim', came: 'not-cured' },
      { treatment: 'replace-node', came },
    ],
  });
const asked = (pasts: Past[] | undefined, more: { approved?: boolean; problem?: string } = {}) =>
  supersedeGate(pasts, { rung, approved: false, ...more });

describe('the gate for what a replacement supersedes', () => {
  it('passes a node that nobody has had replaced, whatever else was done to it', () => {
    expect(asked([])).toMatchObject({ gate: 'supersede', decision: 'pass' });
    expect(asked([samplePast()])).toMatchObject({ decision: 'pass' });
  });

  it.each(['document', 'replace', 'cordon'] as const)('refuses a %s on a node that was replaced', (kind) => {
    const answer = supersedeGate([samplePast(), replaced('cured')], { rung: { kind }, approved: true });
    expect(answer).toMatchObject({
      decision: 'refuse',
      reason: expect.stringContaining('inc-9 has had this node replaced'),
    });
  });

  it('asks a person where a replacement broke off, and goes by the last one', () => {
    expect(asked([replaced('cured', 'inc-1'), replaced('failed')])).toMatchObject({
      decision: 'ask',
      reason: expect.stringContaining('by incident inc-9 broke off (failed)'),
    });
    expect(asked([replaced('failed')], { approved: true })).toMatchObject({ decision: 'pass' });
  });

  it('refuses where nobody can read it, and never keeps people from being told', () => {
    expect(asked(undefined, { approved: true, problem: 'no table' })).toEqual({
      gate: 'supersede',
      decision: 'refuse',
      reason: 'whether this node was replaced already could not be read: no table',
    });
    expect(supersedeGate([replaced('cured')], { rung: { kind: 'notify' }, approved: false }).decision).toBe(
      'pass',
    );
  });
});
