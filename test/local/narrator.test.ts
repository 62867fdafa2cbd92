import { describe, expect, it } from 'vitest';
import type { Mode } from '../../lambdas/domain/settings.ts';
import type { Rung } from '../../lambdas/domain/treatments/treatment.ts';
import { numbers, whatHappens } from '../../local/narrator.ts';
import { undoHere } from '../../local/undo-here.ts';

describe('the numbers of a treatment', () => {
  it('are the dying cgroups and the page cache, where it frees them', () => {
    const before = { dying: 4600, cachedKb: 2048 };

    expect(numbers({ changed: true, before, after: { dying: 230, cachedKb: 1024 } })).toBe(
      'dying cgroups 4,600 → 230, page cache 2 MiB → 1 MiB',
    );
  });

  it('are what is not the same any more, where it changes something else', () => {
    const before = { memoryPerSession: true, dying: 124, slice: 'user.slice' };
    const after = { memoryPerSession: false, dying: 132, slice: 'user.slice' };

    expect(numbers({ changed: true, before, after })).toBe('memoryPerSession true → false, dying 124 → 132');
    expect(numbers({ changed: true, before, after: before })).toBe('it was changed');
    expect(numbers({ changed: false, before, after: before })).toBe('nothing was changed');
  });
});

describe('what happens to a rung of the plan', () => {
  const rung = (needs: Rung['needs'], treatment: Rung['treatment'] = 'reclaim') =>
    ({ treatment, kind: treatment === 'notify' ? 'notify' : 'document', needs, risk: 'low' }) as Rung;

  it.each<[Mode, Rung['needs'], string]>([
    ['auto', 'auto', 'without asking'],
    ['auto', 'approval', 'asks, by policy'],
    ['auto', 'never', 'never done, by policy'],
    ['approve', 'auto', 'asks, for the mode is approve'],
    ['approve', 'approval', 'asks, for the mode is approve'],
    ['approve', 'never', 'never done, by policy'],
    ['observe', 'auto', 'only said, for the mode is observe; by policy auto'],
  ])('is, in mode %s where the policy says %s: %s', (mode, needs, text) => {
    expect(whatHappens(rung(needs), mode)).toBe(text);
  });

  it('is never a question where people are only told', () => {
    expect(whatHappens(rung('auto', 'notify'), 'approve')).toBe('without asking');
  });
});

describe('the undo of a standing change', () => {
  const undo = { document: 'release-unit', arguments: { incident: 'run-1', dryRun: 'false' } };
  const change = { treatment: 'contain-unit', undo };

  it('is a command that can be pasted, and one for another node where that of the run is gone', () => {
    const command = 'npm run document -- release-unit --param incident=run-1 --param dryRun=false';

    expect(undoHere(change, { lasts: true })).toBe(command);
    expect(undoHere(change, { lasts: false }).split('\n')).toEqual([
      command,
      expect.stringContaining('is gone by now'),
    ]);
  });
});
