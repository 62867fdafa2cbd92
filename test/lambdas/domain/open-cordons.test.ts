import { describe, expect, it } from 'vitest';
import type { AuditDraft } from '../../../lambdas/domain/audit/entry.ts';
import { changeToUndo, openChanges, openCordons } from '../../../lambdas/domain/audit/open-changes.ts';
import { heldBack, heldBackSentence, mayFollow } from '../../../lambdas/domain/held-back.ts';
import type { RungResult } from '../../../lambdas/domain/incident-state.ts';
import { Rung } from '../../../lambdas/domain/treatments/treatment.ts';
import { trailOf } from './audit-sample.ts';

const cordoned = (rung: number) => ({
  step: 'cordon.intended' as const,
  rung,
  details: { undo: { uncordon: { node: 'n' } } },
});
const changed = (rung: number) => ({
  step: 'treatment.intended' as const,
  rung,
  details: { undo: { document: 'enable-agent', arguments: {} } },
});
const ended = (step: AuditDraft['step'], rung: number, outcome: string) => ({ step, rung, outcome });
const rungs = (trail: ReturnType<typeof trailOf>) => openChanges(trail).map(({ rung }) => rung);

describe('cordons of an incident', () => {
  it('are open from the intent on, and both are over once the node is uncordoned: it has one', () => {
    expect(rungs(trailOf(cordoned(0), cordoned(1)))).toEqual([0, 1]);
    expect(rungs(trailOf(cordoned(0), cordoned(1), ended('cordon.finished', 1, 'done')))).toEqual([]);
    expect(rungs(trailOf(cordoned(0), cordoned(1), ended('undo.finished', 0, 'nothing')))).toEqual([]);
  });

  it('are not over by an uncordon that failed, nor all of them by one that an earlier rung keeps', () => {
    expect(rungs(trailOf(cordoned(0), cordoned(1), ended('cordon.finished', 1, 'failed')))).toEqual([0, 1]);
    expect(rungs(trailOf(cordoned(0), cordoned(1), ended('cordon.finished', 1, 'kept')))).toEqual([0]);
  });

  it('are not over by the undo of another change', () => {
    const trail = trailOf(cordoned(0), changed(1), ended('undo.finished', 1, 'done'));
    expect(rungs(trail)).toEqual([0]);
    expect(openCordons(trail).map(({ undo }) => undo)).toEqual([{ uncordon: { node: 'n' } }]);
  });

  it('are nobody’s to take back where a person was told what to do about that of a node that was handed over', () => {
    const kept = {
      step: 'treatment.finished' as const,
      rung: 1,
      details: { clean: false, cordonKept: true },
    };
    expect(openCordons(trailOf(cordoned(0), cordoned(1), kept))).toEqual([]);
    expect(rungs(trailOf(changed(0), cordoned(1), kept))).toEqual([0]);
    const failed = { ...kept, details: { clean: false, cordonKept: false } };
    expect(rungs(trailOf(cordoned(0), cordoned(1), failed))).toEqual([0, 1]);
  });

  it('are not over by another treatment at their place of the ladder, where the plan was made anew', () => {
    const cordon = { ...cordoned(0), treatment: 'cordon' };
    const clean = { step: 'treatment.finished' as const, rung: 0, details: { clean: true } };
    expect(rungs(trailOf(cordon, { ...clean, treatment: 'reclaim' }))).toEqual([0]);
    expect(rungs(trailOf(cordon, { ...ended('undo.finished', 0, 'nothing'), treatment: 'reclaim' }))).toEqual(
      [0],
    );
    expect(rungs(trailOf(cordon, { ...clean, treatment: 'cordon' }))).toEqual([]);

    const agent = { ...changed(0), treatment: 'disable-agent' };
    const both = trailOf(cordon, agent);
    expect(openChanges(both).map(({ treatment }) => treatment)).toEqual(['cordon', 'disable-agent']);
    expect(changeToUndo(both, 0, 'disable-agent')).toMatchObject({ treatment: 'disable-agent' });
    expect(changeToUndo(trailOf(cordon), 0, 'reclaim')).toBeUndefined();
    const undone = { ...ended('undo.finished', 0, 'done'), treatment: 'disable-agent' };
    expect(openCordons(trailOf(cordon, agent, undone))).toMatchObject([{ treatment: 'cordon' }]);
  });

  it('of an earlier rung stand while a later one is undone', () => {
    expect(changeToUndo(trailOf(cordoned(0), changed(1)), 1)).toMatchObject({ rung: 1 });
    expect(changeToUndo(trailOf(cordoned(0)), 1)).toBeUndefined();
    expect(changeToUndo(trailOf(cordoned(0)), 0)).toMatchObject({ rung: 0 });
    // A change on the node that was left over is not one of those.
    expect(changeToUndo(trailOf(changed(0)), 1)).toMatchObject({ rung: 0 });
  });
});

describe('a node that has not settled', () => {
  const results: RungResult[] = [
    {
      treatment: 'restart-kubelet',
      arguments: {},
      risk: 'medium',
      status: 'failed',
      reason: 'the node n was not Ready within 120 s',
      result: { changed: true, before: {}, after: {}, details: { settled: false } },
    },
  ];
  const rung = (kind: Rung['kind']): Rung =>
    Rung.parse({
      treatment: 'notify',
      kind,
      arguments: {},
      risk: 'high',
      needs: 'auto',
      reason: '',
      expects: { text: '' },
    });

  it('may be replaced, and people are told; nothing else is done to it', () => {
    const held = heldBack(results);
    expect(held).toMatchObject({ by: 'unsettled' });
    const may = (['replace', 'notify', 'document', 'cordon'] as const).filter((kind) =>
      mayFollow(rung(kind), held?.by),
    );
    expect(may).toEqual(['replace', 'notify']);
    expect(held && heldBackSentence(held, [])).toBe('restart-kubelet: the node n was not Ready within 120 s');
  });
});
