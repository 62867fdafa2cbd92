import { describe, expect, it } from 'vitest';
import { strictest } from '../../../lambdas/domain/gates/gate.ts';
import { leaseGate } from '../../../lambdas/domain/gates/lease-gate.ts';
import { modeGate } from '../../../lambdas/domain/gates/mode-gate.ts';
import type { Rung } from '../../../lambdas/domain/treatments/treatment.ts';

const rung: Rung = {
  treatment: 'reclaim',
  kind: 'document',
  document: 'reclaim',
  arguments: {},
  risk: 'low',
  needs: 'auto',
  reason: '',
  standing: false,
  onceStopped: false,
  namesItsApproval: false,
  onlyWhenCalm: false,
  disrupts: false,
  expects: { text: '', signal: 'dying', level: 'falls' },
};
const asks: Rung = { ...rung, needs: 'approval', risk: 'medium' };
const never: Rung = { ...rung, needs: 'never' };
const telling: Rung = { ...rung, treatment: 'notify', kind: 'notify', risk: 'none' };

describe('modeGate', () => {
  it.each([
    ['observe', rung, false, 'observe'],
    ['observe', rung, true, 'observe'],
    ['observe', telling, false, 'observe'],
    ['approve', rung, false, 'ask'],
    ['approve', rung, true, 'pass'],
    ['approve', telling, false, 'pass'],
    ['approve', never, true, 'skip'],
    ['auto', rung, false, 'pass'],
    ['auto', asks, false, 'ask'],
    ['auto', asks, true, 'pass'],
    ['auto', never, false, 'skip'],
  ] as const)('in mode %s, with %o, approved %s: %4$s', (mode, present, approved, decision) => {
    expect(modeGate(mode, present, approved).decision).toBe(decision);
  });

  it.each([undefined, '', 'AUTO', 'auto ', 'off', 'null'])('refuses when the parameter says %o', (mode) => {
    expect(modeGate(mode, rung, true)).toMatchObject({ gate: 'mode', decision: 'refuse' });
  });

  it('says what the parameter must be', () => {
    expect(modeGate('on', rung, false).reason).toBe(
      'the mode parameter says "on"; it must be observe, approve or auto',
    );
  });
});

describe('leaseGate', () => {
  it('passes only with a renewed lease', () => {
    expect(leaseGate({ status: 'ours', until: 'soon' }).decision).toBe('pass');
    expect(leaseGate({ status: 'lost', holder: 'inc-2' })).toMatchObject({
      decision: 'refuse',
      reason: 'the node is leased to incident inc-2',
    });
    expect(leaseGate({ status: 'error', reason: 'table gone' }).decision).toBe('refuse');
  });
});

describe('strictest', () => {
  it('lets the strictest answer hold, whatever the order', () => {
    const pass = { gate: 'a', decision: 'pass', reason: '' } as const;
    const ask = { gate: 'b', decision: 'ask', reason: '' } as const;
    const refuse = { gate: 'c', decision: 'refuse', reason: '' } as const;

    expect(strictest([pass, refuse, ask]).gate).toBe('c');
    expect(strictest([ask, pass]).gate).toBe('b');
    expect(strictest([pass]).gate).toBe('a');
  });

  it('knows this order, whichever is asked first', () => {
    const order = ['refuse', 'observe', 'skip', 'wait', 'ask', 'pass'] as const;
    const result = (decision: (typeof order)[number]) => ({ gate: decision, decision, reason: '' });

    for (const [index, stricter] of order.entries()) {
      for (const milder of order.slice(index + 1)) {
        expect(strictest([result(stricter), result(milder)]).gate).toBe(stricter);
        expect(strictest([result(milder), result(stricter)]).gate).toBe(stricter);
      }
    }
  });

  it('gives the reason of the first that refuses', () => {
    const refuse = (gate: string) => ({ gate, decision: 'refuse', reason: gate }) as const;

    expect(strictest([refuse('lease'), refuse('mode')])).toEqual(refuse('lease'));
  });

  it('refuses where no gate was asked', () => {
    expect(strictest([]).decision).toBe('refuse');
  });
});
