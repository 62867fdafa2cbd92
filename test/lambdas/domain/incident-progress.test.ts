import { describe, expect, it } from 'vitest';
import { closingMessage } from '../../../lambdas/domain/closing-message.ts';
import { diagnoseWithoutEvidence } from '../../../lambdas/domain/diagnosis.ts';
import {
  asksOn,
  climb,
  endingOf,
  firstRung,
  keptLooks,
  passedOver,
  rungResult,
} from '../../../lambdas/domain/incident-progress.ts';
import type { IncidentState } from '../../../lambdas/domain/incident-state.ts';
import { lookAgainFor } from '../../../lambdas/domain/look-again.ts';
import { startReplacement } from '../../../lambdas/domain/replacement/course.ts';
import type { Rung } from '../../../lambdas/domain/treatments/treatment.ts';
import { Sample } from '../../../lambdas/domain/verification.ts';
import { openedState } from './sample-state.ts';

const at = '2026-11-21T06:00:00.000Z';
const first: Rung = {
  treatment: 'reclaim',
  kind: 'document',
  arguments: { slices: '/user.slice' },
  risk: 'low',
  needs: 'auto',
  reason: '',
  standing: false,
  onceStopped: false,
  namesItsApproval: false,
  onlyWhenCalm: false,
  disrupts: false,
  expects: { text: 'few are left', signal: 'dying', level: 'falls' },
};
const second: Rung = { ...first, treatment: 'notify', kind: 'notify', risk: 'none' };
const look = Sample.parse({ at, dying: 500, availablePercent: 60, stalledPercent: 0, bootId: 'b' });

const stateWith = (change: Partial<IncidentState> = {}) =>
  openedState({ plan: [first, second], rung: first, ...change });

const verified = (verdict: NonNullable<IncidentState['verification']>['verdict']) => ({
  verification: {
    verdict,
    waitSeconds: 0,
    planned: 6,
    samples: [look],
    provisional: false,
    findings: [],
    alsoFound: [],
  },
});
const gated = (decision: NonNullable<IncidentState['gate']>['decision']) => ({
  gate: { decision, gate: 'mode', reason: `the gate says ${decision}`, waitSeconds: 0 },
});
const settled = (decision: NonNullable<IncidentState['approval']>['decision']) => ({
  approval: {
    id: 'p',
    evidenceDigest: 'd',
    timeoutSeconds: 60,
    stage: 'asked' as const,
    remindAt: null,
    escalateAt: null,
    expiresAt: at,
    decision,
  },
});
const failedUndo = { undo: { status: 'failed', reason: '2 changes could not be taken back' } } as const;
const error = { error: { Error: 'States.Timeout' } };
const exhausted = { ladder: { index: 2, status: 'exhausted' } } as const;

describe('a rung that broke off', () => {
  const heavier: Rung = { ...first, treatment: 'drop-caches' };
  const broken = stateWith({
    plan: [first, heavier, second],
    treatment: { status: 'failed', reason: 'Execution Timed Out' },
  });

  it('is followed by a call for a person, and by nothing heavier; one that was refused goes on', () => {
    expect(climb(broken).rung?.treatment).toBe('notify');
    expect(climb({ ...broken, treatment: { status: 'refused', reason: 'swap is on' } }).rung?.treatment).toBe(
      'drop-caches',
    );
  });

  it('ends unresolved, and is not called nothing', () => {
    const ended = endingOf({ ...climb(broken), ladder: { index: 3, status: 'exhausted' } });

    expect(ended).toEqual({
      outcome: 'unresolved',
      reason:
        'reclaim broke off (Execution Timed Out), and what it has done is not known, so nothing heavier was done; a person is asked to look',
    });
  });
});

it('the next rung is not said to be asked for again because an approval of this one was void', () => {
  const state = stateWith({ plan: [first, second], voided: 'the node has moved on' });
  expect(climb(state)).not.toHaveProperty('voided');
});

describe('a rung of which nobody saw whether it helped', () => {
  const heavier: Rung = { ...first, treatment: 'drop-caches' };
  const unseen = stateWith({
    plan: [first, heavier, second],
    treatment: { status: 'done', reason: 'it ran to its end' },
    verification: { ...verified('not-cured').verification, unseen: true },
  });

  it('is followed by a call for a person, and by nothing heavier', () => {
    const next = climb(unseen);

    expect(next.rung?.treatment).toBe('notify');
    expect(passedOver(unseen, next).map(({ treatment }) => treatment)).toEqual(['drop-caches']);
    expect(climb({ ...unseen, ...verified('not-cured') }).rung?.treatment).toBe('drop-caches');
  });

  it('ends unresolved, with what was seen last', () => {
    const ended = endingOf({ ...climb(unseen), ladder: { index: 3, status: 'exhausted' } });

    expect(ended).toMatchObject({
      outcome: 'unresolved',
      reason: expect.stringContaining('last seen: 500 dying memory cgroups'),
    });
  });
});

describe('a rung after which the node is worse', () => {
  const contain: Rung = { ...first, treatment: 'contain-unit', standing: true };
  const heavier: Rung = { ...first, treatment: 'drop-caches', onlyWhenCalm: true };
  const findings = [
    { fact: 'time stalled', value: 38.2, threshold: 0.12, speaks: 'against' as const, source: 's' },
  ];
  const harmed = stateWith({
    plan: [first, contain, heavier, second],
    treatment: { status: 'done', reason: 'it ran to its end' },
    verification: { ...verified('not-cured').verification, findings, harmed: true },
  });

  it('is followed by a call for a person, and by nothing else', () => {
    expect(climb(harmed).rung?.treatment).toBe('notify');
    expect(climb(harmed).results.at(-1)?.verification?.harmed).toBe(true);
  });

  it('ends unresolved, and says how much worse', () => {
    expect(endingOf({ ...climb(harmed), ladder: { index: 4, status: 'exhausted' } })).toEqual({
      outcome: 'unresolved',
      reason:
        'the node got worse after reclaim (time stalled 38.2 (limit 0.12)), so nothing heavier was done; a person is asked to look',
    });
  });
});

describe('a reclaim that stopped because the node waits for memory or disks', () => {
  const contain: Rung = { ...first, treatment: 'contain-unit', standing: true };
  const heavier: Rung = { ...first, treatment: 'drop-caches', onlyWhenCalm: true };
  const ended = (stopped: string, plan: Rung[]) =>
    stateWith({
      plan: [first, ...plan],
      treatment: {
        status: 'done',
        reason: 'it ran to its end',
        result: {
          changed: true,
          before: {},
          after: {},
          details: {
            slices: [
              { path: '/a', stopped: 'done' },
              { path: '/b', stopped },
            ],
          },
        },
      },
      ...verified('not-cured'),
    });

  it('is not followed by what asks more of the node, and is by what stops the producer', () => {
    expect(climb(ended('pressure', [heavier, second])).rung?.treatment).toBe('notify');
    expect(climb(ended('pressure', [contain, heavier, second])).rung?.treatment).toBe('contain-unit');
    expect(climb(ended('no-progress', [heavier, second])).rung?.treatment).toBe('drop-caches');
  });

  it('is remembered on every later rung', () => {
    const contained = climb(ended('pressure', [contain, heavier, second]));
    const next = climb({
      ...contained,
      treatment: { status: 'done', reason: 'it ran to its end' },
      ...verified('not-cured'),
    });

    expect(next.results.map(({ treatment }) => treatment)).toEqual(['reclaim', 'contain-unit']);
    expect(next.rung?.treatment).toBe('notify');
  });

  it('ends unresolved, and is not said to have been tried in vain', () => {
    const last = climb(ended('pressure', [heavier, second]));

    expect(endingOf({ ...last, ladder: { index: 3, status: 'exhausted' } }).reason).toBe(
      'reclaim stopped before its end, because this node waits for memory or disks, so nothing heavier was done; a person is asked to look',
    );
  });
});

describe('the looks of a rung in the record', () => {
  it('are all of few, and of many some, the first and the last among them', () => {
    const looks = Array.from({ length: 30 }, (_, dying) => ({ ...look, dying }));
    const dying = (count: number) => keptLooks(looks.slice(0, count)).map((one) => one.dying);

    expect(dying(12)).toEqual(looks.slice(0, 12).map((one) => one.dying));
    expect(dying(30)).toHaveLength(12);
    expect([dying(30)[0], dying(30).at(-1)]).toEqual([0, 29]);
  });
});

describe('firstRung', () => {
  const once: Rung = { ...first, onceStopped: true };
  const contain: Rung = { ...first, treatment: 'contain-sessions', standing: true };
  const result = (treatment: string, status: 'done' | 'refused' = 'done') => ({
    treatment,
    arguments: {},
    risk: 'low',
    status,
  });

  it.each<[string, Rung[], Parameters<typeof firstRung>[1], number]>([
    ['the first of a fresh ladder', [first, second], [], 0],
    ['the first that was not tried', [first, contain, once, second], [result('reclaim')], 1],
    ['one that was refused then', [first, second], [result('reclaim', 'refused')], 0],
    ['not what waits for a producer to be stopped', [first, once, second], [result('reclaim')], 2],
    ['nothing where all was tried', [first], [result('reclaim')], 1],
    ['nothing of an empty ladder', [], [], 0],
  ])('is %s', (_, plan, results, index) => {
    expect(firstRung(plan, results)).toBe(index);
  });
});

describe('endingOf', () => {
  it.each<[string, Partial<IncidentState>, string]>([
    ['a cure', verified('cured'), 'cured'],
    ['an empty ladder', { ladder: { index: 0, status: 'empty' } }, 'observed'],
    ['a denial', settled('denied'), 'denied'],
    ['an approval that expired', settled('expired'), 'expired'],
    ['an approval that is void', settled('void'), 'void'],
    ['a refusal at the last check', { recheck: { decision: 'refuse', reason: '' } }, 'refused'],
    ['a gate that only observes', gated('observe'), 'observed'],
    ['a gate that refuses', gated('refuse'), 'refused'],
    ['the end of the ladder', exhausted, 'unresolved'],
    ['another incident on the node', { lease: { status: 'refused', fencing: null, reason: '' } }, 'refused'],
  ])('calls %s what it is', (_, change, outcome) => {
    expect(endingOf(stateWith(change)).outcome).toBe(outcome);
  });

  it('tells of a cure by what the rung was to change', () => {
    const expects = { ...first.expects, signal: 'leakedScopes' } as const;
    const before = { ...look, leakedScopes: 60 };
    const cured = stateWith({ ...verified('cured'), rung: { ...first, expects }, before });

    expect(endingOf(cured).reason).toBe(
      'reclaim helped: 60 scope and session directories without a process when looked at before reclaim, an unknown number of scope and session directories without a process at the last look after it, and no new growth',
    );
  });

  it('calls the end of the ladder relieved when a rung got it better', () => {
    const results = climb(stateWith(verified('relieved'))).results;

    expect(endingOf(stateWith({ ...exhausted, results })).outcome).toBe('relieved');
  });

  it.each<[string, Partial<IncidentState>]>([
    ['an error', error],
    ['an undo that failed', failedUndo],
  ])('lets %s outweigh every good sign', (_, change) => {
    const good = { ...verified('cured'), ...gated('pass'), ...settled('approved'), ...exhausted };

    expect(endingOf(stateWith({ ...good, ...change })).outcome).toBe('failed');
  });

  it('says what failed', () => {
    expect(endingOf(stateWith(error)).reason).toBe('States.Timeout: no cause given');
    expect(endingOf(stateWith({ error: { Cause: 'x'.repeat(5000) } })).reason).toHaveLength(1000);
    expect(endingOf(stateWith(failedUndo)).reason).toContain('2 changes could not be taken back');
  });

  it('calls a state that no rule knows a failure', () => {
    expect(endingOf(stateWith()).outcome).toBe('failed');
    expect(endingOf(stateWith({ ...gated('pass'), ...settled('approved') })).outcome).toBe('failed');
    expect(endingOf(stateWith(verified('not-cured'))).outcome).toBe('failed');
  });
});

describe('climb', () => {
  it('takes nothing of a rung along to the next but the record and the last look', () => {
    const treatment = { status: 'done', reason: 'it ran' } as const;
    const spent = stateWith({
      ...gated('pass'),
      ...settled('approved'),
      treatment,
      ...verified('not-cured'),
    });
    const next = climb({ ...spent, recheck: { decision: 'pass', reason: '' }, ...failedUndo });

    expect(next).toEqual({
      ...stateWith(),
      ladder: { index: 1, status: 'rung' },
      rung: second,
      before: look,
      results: [
        expect.objectContaining({
          treatment: 'reclaim',
          status: 'done',
          approval: { id: 'p', status: 'approved' },
          verification: expect.objectContaining({ verdict: 'not-cured', cured: false }),
          undo: failedUndo.undo,
        }),
      ],
    });
  });

  it('says when there is no rung left', () => {
    const end = climb(stateWith({ ladder: { index: 1, status: 'rung' }, rung: second }));

    expect(end.ladder).toEqual({ index: 2, status: 'exhausted' });
    expect(end).not.toHaveProperty('rung');
  });
});

describe('climb, on the ladder of a producer', () => {
  const stop = { ...first, treatment: 'contain-unit', standing: true } satisfies Rung;
  const stopHarder = { ...stop, treatment: 'disable-agent' } satisfies Rung;
  const again = { ...first, onceStopped: true } satisfies Rung;
  const plan = [first, stop, stopHarder, again, second];
  const treated = (verdict: 'relieved' | 'not-cured', change: Partial<IncidentState>) =>
    stateWith({
      plan,
      ...verified(verdict),
      treatment: {
        status: 'done',
        reason: 'it ran',
        result: { changed: true, before: {}, after: {}, undo: { document: 'release-unit', arguments: {} } },
      },
      ...change,
    });
  const onStop = { ladder: { index: 1, status: 'rung' }, rung: stop } as const;
  const nextOf = (state: IncidentState) => {
    const { rung, ladder } = climb(state);
    return [rung?.treatment, ladder.index];
  };

  it('frees what is left once the producer is stopped, and stops it only once', () => {
    const state = treated('relieved', onStop);

    expect(nextOf(state)).toEqual(['reclaim', 3]);
    expect(passedOver(state, climb(state)).map(({ treatment }) => treatment)).toEqual(['disable-agent']);
  });

  it.each<[string, IncidentState]>([
    [
      'did not help and was undone',
      treated('not-cured', { ...onStop, undo: { status: 'done', reason: '' } }),
    ],
    ['was skipped', stateWith({ plan, ...onStop, ...gated('skip') })],
    [
      'changed nothing, for somebody else had stopped it that way',
      treated('relieved', {
        ...onStop,
        treatment: { status: 'done', reason: '', result: { changed: false, before: {}, after: {} } },
      }),
    ],
  ])('tries the next way to stop it where one %s', (_, state) => {
    expect(nextOf(state)).toEqual(['disable-agent', 2]);
  });

  it('does not bail out a leaking boat: where nothing stopped it, a person is called', () => {
    const state = treated('not-cured', {
      ladder: { index: 2, status: 'rung' },
      rung: stopHarder,
      undo: { status: 'done', reason: '' },
    });

    expect(nextOf(state)).toEqual(['notify', 4]);
    expect(passedOver(state, climb(state))).toEqual([again]);
  });

  it('says what helped together', () => {
    const { results } = climb(treated('relieved', onStop));
    const cured = stateWith({
      plan,
      ...verified('cured'),
      results,
      rung: again,
      before: { ...look, dying: 900 },
    });

    expect(endingOf(cured)).toEqual({
      outcome: 'cured',
      reason:
        'contain-unit and then reclaim helped: 900 dying memory cgroups when looked at before reclaim, 500 dying memory cgroups at the last look after it, and no new growth',
    });
  });
});

describe('rungResult', () => {
  it('tells a rung that was skipped from one that did not start', () => {
    expect(rungResult(stateWith(gated('skip')))?.status).toBe('skipped');
    expect(rungResult(stateWith(gated('refuse')))?.status).toBe('not-started');
    expect(
      rungResult(stateWith({ ...gated('skip'), treatment: { status: 'failed', reason: '' } }))?.status,
    ).toBe('failed');
  });
});

describe('closingMessage', () => {
  const nameOf = (name: string) => name;
  const refused = { lease: { status: 'refused', fencing: null, reason: '' } } as const;

  it('stays silent only where another incident held the node', () => {
    expect(closingMessage(stateWith({ ...refused, outcome: 'refused' }), nameOf)).toBeUndefined();
    expect(closingMessage(stateWith({ ...refused, ...error, outcome: 'failed' }), nameOf)?.kind).toBe(
      'call-a-person',
    );
    expect(closingMessage(stateWith({ outcome: 'refused' }), nameOf)?.kind).toBe('incident-closed');
  });

  it('calls a person when the incident failed, and says why', () => {
    const message = closingMessage(
      stateWith({ outcome: 'failed', outcomeReason: 'the undo failed' }),
      nameOf,
    );

    expect(message).toMatchObject({
      kind: 'call-a-person',
      text: expect.stringContaining('the undo failed'),
    });
  });
});

describe('a provisional cure', () => {
  const closedAt = new Date('2026-11-21T07:00:00Z');
  const provisional = (change: Partial<NonNullable<IncidentState['verification']>> = {}) => {
    const { verification } = verified('cured');
    return stateWith({
      diagnosis: diagnoseWithoutEvidence({ probe: 'evidence', reason: 'x' }),
      verification: { ...verification, provisional: true, ...change },
    });
  };

  it('is looked at again after a day, at what the rung promised', () => {
    expect(lookAgainFor(provisional(), closedAt)).toEqual({
      at: '2026-11-22T07:00:00.000Z',
      cause: 'inconclusive',
      treatment: 'reclaim',
      signal: 'dying',
      level: 500,
    });
    expect(lookAgainFor(provisional({ provisional: false }), closedAt)).toBeUndefined();
    expect(lookAgainFor(provisional({ verdict: 'relieved' }), closedAt)).toBeUndefined();
  });

  it('says so in its reason and in the closing message, with what was found on the way', () => {
    const state = provisional({ alsoFound: [{ cause: 'orphaned-agent', confidence: 0.8 }] });
    const ending = endingOf(state);
    const lookAgain = lookAgainFor(state, closedAt);
    const closed = {
      ...state,
      outcome: ending.outcome,
      results: [rungResult(state)].flatMap((r) => r ?? []),
    };
    const message = closingMessage(
      { ...closed, ...(lookAgain === undefined ? {} : { lookAgain }) },
      (name) => name,
    );

    expect(ending.reason).toContain('no new growth so far (provisional)');
    expect(message?.text).toContain('The census looks again at 2026-11-22T07:00:00.000Z.');
    expect(message?.text).toContain('found on the way, and not treated: orphaned-agent (confidence 0.8)');
  });
});

describe('a rung that replaces the node', () => {
  const rung: Rung = { ...first, treatment: 'replace-node', kind: 'replace', risk: 'high', disrupts: true };
  const replacement = startReplacement('i-0123456789abcdef0');
  const state = stateWith({ plan: [rung, second], rung, replacement });

  it('is the cure once another node is there', () => {
    const treatment = { status: 'done' as const, reason: 'new is Ready, and runs pods' };
    expect(endingOf({ ...state, treatment, ...verified('cured') })).toEqual({
      outcome: 'cured',
      reason: 'the node was replaced: new is Ready, and runs pods',
    });
  });

  it('has failed where it was begun and nobody wrote down how it ended, and is not carried on', () => {
    expect(rungResult(state)?.status).toBe('failed');
    expect(climb(state)).not.toHaveProperty('replacement');
  });
});

describe('a cured node whose group may be treated again and again', () => {
  const group: Rung = {
    ...first,
    treatment: 'standing-reclaim',
    kind: 'standing',
    standing: true,
    risk: 'medium',
  };
  const heavier: Rung = { ...first, treatment: 'drop-caches' };
  const plan = [first, heavier, group, second];
  const cured = stateWith({
    plan,
    ...gated('pass'),
    before: look,
    treatment: { status: 'done', reason: 'it ran' },
    ...verified('cured'),
  });

  it('is asked about that, and about nothing else that would have followed', () => {
    expect(asksOn(cured)).toBe(true);
    const next = climb(cured);
    expect(next.rung?.treatment).toBe('standing-reclaim');
    expect(next.cure?.reason).toContain('reclaim helped');
    expect(climb({ ...next, ...gated('skip') }).ladder.status).toBe('exhausted');
    // Where a gate had to be waited for, or the approval was void, the plan is made anew.
    expect(firstRung(plan, next.results, true)).toBe(plan.indexOf(group));
    expect(firstRung([first, heavier, second], next.results, true)).toBe(3);
    expect(asksOn({ ...cured, plan: [first, heavier, second] })).toBe(false);
    expect(asksOn({ ...cured, ...verified('not-cured') })).toBe(true);
    expect(climb({ ...cured, ...verified('not-cured') }).rung?.treatment).toBe('drop-caches');
  });

  it('is cured, whatever people say of the group', () => {
    const asked = climb(cured);
    const begun = { treatment: { status: 'done' as const, reason: 'it runs until then' } };
    expect(endingOf({ ...asked, ...settled('approved'), ...begun })).toEqual({
      outcome: 'cured',
      reason: expect.stringMatching(/^reclaim helped: .*; standing-reclaim: it runs until then$/),
    });
    expect(endingOf({ ...asked, ...settled('denied') })).toMatchObject({
      outcome: 'cured',
      reason: expect.stringContaining('standing-reclaim: denied, '),
    });
    expect(endingOf({ ...asked, ...settled('expired') }).outcome).toBe('cured');
    expect(endingOf({ ...asked, ...gated('refuse') }).outcome).toBe('cured');
    expect(endingOf({ ...asked, ...error }).outcome).toBe('failed');
  });

  it('is asked about it as well where the node is better and not well, and not where nothing helped', () => {
    const following = (verdict: 'relieved' | 'not-cured') => climb(climb({ ...cured, ...verified(verdict) }));
    expect(following('relieved').rung?.treatment).toBe('standing-reclaim');
    expect(following('not-cured').rung?.treatment).toBe('notify');
    const begun = { ...following('relieved'), treatment: { status: 'done' as const, reason: 'it runs' } };
    expect(endingOf(begun)).toMatchObject({
      outcome: 'relieved',
      reason: expect.stringContaining('it runs'),
    });
    expect(closingMessage({ ...begun, ...endingOf(begun) }, String)?.kind).toBe('incident-closed');
  });

  it('that is better calls nobody where a standing treatment is for that, and a person where it is ill in another way', () => {
    const incident = { ...cured.incident, alarm: { ...cured.incident.alarm, standing: 'inc-1-r3' } };
    const known = diagnoseWithoutEvidence({ probe: 'evidence', reason: 'x' });
    const kindFor = (cause: typeof known.cause) =>
      closingMessage({ ...cured, incident, diagnosis: { ...known, cause }, outcome: 'relieved' }, String)
        ?.kind;
    expect(kindFor('session-churn')).toBe('incident-closed');
    expect(kindFor('orphaned-agent')).toBe('call-a-person');
  });

  it('has in its record who agreed to it for the group', () => {
    const agreed = { id: 'inc-1-r3', by: 'ana', approval: 'inc-1-r3-v0', until: at };
    const { gate } = gated('pass');
    expect(rungResult({ ...cured, gate: { ...gate, agreed } })?.approval).toEqual({
      id: 'inc-1-r3-v0',
      status: 'approved',
      by: 'ana',
      reason: `standing treatment inc-1-r3, until ${at}`,
    });
  });
});
