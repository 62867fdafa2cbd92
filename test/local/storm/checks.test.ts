import { describe, expect, it } from 'vitest';
import { Gates } from '../../../lambdas/domain/settings/gates.ts';
import { RollSettings } from '../../../lambdas/domain/settings/roll.ts';
import { afterNo } from '../../../local/storm/checks/after-no.ts';
import { atOnce, inFlight, peaksOf } from '../../../local/storm/checks/in-flight.ts';
import { leftBehind } from '../../../local/storm/checks/left-behind.ts';
import { countMessages, tooManyMessages } from '../../../local/storm/checks/messages.ts';
import { oneIncident } from '../../../local/storm/checks/one-incident.ts';
import { overWave } from '../../../local/storm/checks/over-wave.ts';
import { overQuota, ratesOf } from '../../../local/storm/checks/rates.ts';
import { trailProblems } from '../../../local/storm/checks/trails.ts';
import { untold } from '../../../local/storm/checks/untold.ts';
import { cohortsOf } from '../../../local/storm/cohorts.ts';
import { type Trail, trailsOf } from '../../../local/storm/facts.ts';
import { quotas } from '../../../local/storm/quotas.ts';
import { sampleIncidents, samplePem } from '../../lambdas/domain/audit-sample.ts';
import { factsOf, nodeOf, type Step, start, trailOf, treated } from './samples.ts';

const { budget } = Gates.parse({});
const roll = RollSettings.parse({});
const whats = (violations: { what: string }[]) => violations.map(({ what }) => what);

describe('in-flight', () => {
  it('finds two nodes of a zone that are disrupted at once, and not those one after the other', () => {
    const both = factsOf({ trails: [trailOf(0, treated(0, 10)), trailOf(1, treated(9, 20))] });
    expect(whats(inFlight(both, budget))).toEqual([
      '2 nodes of the cluster were disrupted at once, and 1 may be',
      '2 nodes of group web were disrupted at once, and 1 may be',
      '2 nodes of zone a were disrupted at once, and 1 may be',
    ]);
    const inTurn = factsOf({ trails: [trailOf(0, treated(0, 10)), trailOf(1, treated(10, 20))] });
    expect(inFlight(inTurn, budget)).toEqual([]);
    expect(peaksOf(inTurn, budget)[0]).toEqual({ where: 'the cluster', peak: 1, most: 1 });
  });

  it('counts what disrupts, and what no plan speaks of, and nothing else', () => {
    const gentle = [trailOf(0, treated(0, 10, 1)), trailOf(1, treated(5, 20, 1))];
    expect(inFlight(factsOf({ trails: gentle }), budget)).toEqual([]);
    const unplanned = [0, 1].map((index) =>
      trailOf(
        index,
        treated(0, 10, 1).filter(({ step }) => step !== 'planned'),
      ),
    );
    expect(inFlight(factsOf({ trails: unplanned }), budget)).toHaveLength(3);
  });

  it('takes the sizes of group and cluster from the fleet', () => {
    const nodes = Array.from({ length: 40 }, (_, index) =>
      nodeOf(index, { zone: `z${index}`, nodeGroup: index < 20 ? 'web' : 'db' }),
    );
    const trails = Array.from({ length: 4 }, (_, index) => trailOf(index, treated(0, 10)));
    expect(whats(inFlight({ nodes, trails }, budget))).toEqual([
      '4 nodes of group web were disrupted at once, and 2 may be',
    ]);
  });

  it('counts one that takes no time', () => {
    expect(
      atOnce([
        { from: 5, until: 5 },
        { from: 5, until: 5 },
      ]),
    ).toBe(2);
    expect(atOnce([])).toBe(0);
  });
});

describe('one-incident', () => {
  it('finds two incidents that have one node at once, also where a third came between', () => {
    const trails = [
      trailOf(0, treated(0, 30), 'i-1'),
      trailOf(1, treated(5, 6), 'i-1'),
      trailOf(2, treated(20, 40), 'i-1'),
    ];
    expect(whats(oneIncident({ trails }))).toEqual([
      'i-1 was held by inc-0 and by inc-1 at once',
      'i-1 was held by inc-0 and by inc-2 at once',
    ]);
    expect(
      oneIncident({ trails: [trailOf(0, treated(0, 10), 'i-1'), trailOf(1, treated(11, 20), 'i-1')] }),
    ).toEqual([]);
  });
});

describe('after-no', () => {
  const about = { rung: 0, treatment: 'restart-kubelet' };
  const intended: Step = { at: 9, step: 'treatment.intended', ...about };
  const said = (...steps: Step[]) => afterNo(factsOf({ trails: [trailOf(0, [...steps, intended])] }));
  const gated = (outcome: string, at = 1): Step => ({
    at,
    step: 'gated',
    outcome,
    ...about,
    details: { gates: [] },
  });

  it('finds a treatment of a node with a veto', () => {
    const trails = [trailOf(0, treated(0, 10))];
    const nodes = [nodeOf(0, { fate: 'vetoed' })];
    expect(whats(afterNo({ nodes, trails }))).toEqual([
      `restart-kubelet was done to ${nodes[0]?.instanceId} by inc-0, although it has a veto`,
    ]);
    expect(afterNo(factsOf({ trails }))).toEqual([]);
  });

  it.each([
    ['no gate was asked', []],
    ['the gates said refuse: x', [gated('refuse')]],
    ['the gates said ask: x', [gated('pass'), gated('ask', 2)]],
    [
      'it was denied and not looked at again',
      [gated('ask'), { at: 2, step: 'approval.settled', outcome: 'denied', ...about }],
    ],
    [
      'it was approved and not looked at again',
      [gated('ask'), { at: 2, step: 'approval.settled', outcome: 'approved', ...about }],
    ],
    ['the second look said void', [gated('ask'), { at: 3, step: 'rechecked', outcome: 'void', ...about }]],
    ['its incident had ended', [gated('pass'), { at: 3, step: 'incident.closed', outcome: 'cured' }]],
    ['its incident had ended', [gated('pass'), { at: 3, step: 'janitor.started' }]],
  ] as [string, Step[]][])('finds one although %s', (why, steps) => {
    expect(whats(said(...steps))).toEqual([expect.stringContaining(`although ${why}`)]);
  });

  it('lets one go ahead that passed, or that was approved and looked at again; what was said of another rung is not meant', () => {
    expect(said(gated('pass'))).toEqual([]);
    expect(said(gated('refuse', 0), gated('pass'))).toEqual([]);
    expect(
      said(
        gated('ask'),
        { at: 2, step: 'approval.settled', outcome: 'approved', ...about },
        { at: 3, step: 'rechecked', outcome: 'pass', ...about },
      ),
    ).toEqual([]);
    expect(said(gated('pass'), { ...gated('refuse'), rung: 1 })).toEqual([]);
  });

  it('finds one whose gates were asked after the breaker had opened, unless it is the canary', () => {
    const opener = trailOf(7, [
      { at: 100, step: 'breaker.changed', outcome: 'open' },
      { at: 300, step: 'breaker.changed', outcome: 'closed' },
    ]);
    const askedAt = (at: number, reason = 'closed') =>
      afterNo(
        factsOf({
          trails: [
            opener,
            trailOf(0, [
              {
                at,
                step: 'gated',
                outcome: 'pass',
                ...about,
                details: { gates: [{ gate: 'breaker', reason }] },
              },
              { ...intended, at: 400 },
            ]),
          ],
        }),
      );
    expect(whats(askedAt(200))).toEqual([expect.stringContaining('although the breaker had opened')]);
    expect([askedAt(99), askedAt(301), askedAt(200, 'this one is the canary')]).toEqual([[], [], []]);
  });
});

describe('untold', () => {
  const ended = (index: number, outcome: string, notified = 'in a later summary') =>
    trailOf(index, [
      { at: 0, step: 'diagnosed', outcome: 'kubelet-leak' },
      { at: 9, step: 'incident.closed', outcome, details: { notified } },
    ]);
  const summary = (needed: number, names: string, cause = 'kubelet-leak') => ({
    at: new Date(start),
    kind: 'call-a-person',
    incident: 'inc-9',
    title: `local: 9 incidents of ${cause} closed, ${needed} need a person, 0 open`,
    text: `Nodes that need a person: ${names}.`,
  });
  const [one, two] = [nodeOf(0).instanceId, nodeOf(1).instanceId];
  const trails = [ended(0, 'failed'), ended(1, 'unresolved'), ended(2, 'cured')];

  it('finds a node that needs a person and that no summary of its cause names or counts', () => {
    expect(whats(untold({ trails, messages: [] }))).toHaveLength(2);
    expect(whats(untold({ trails, messages: [summary(1, one)] }))).toEqual([
      `${two} needs a person, and inc-1 left that to a later summary, in which it is not`,
    ]);
    expect(untold({ trails, messages: [summary(2, `${one} and 1 more`, 'session-churn')] })).toHaveLength(2);
    expect(untold({ trails, messages: [summary(1, one), summary(1, two)] })).toEqual([]);
    expect(untold({ trails, messages: [summary(2, `${one} and 1 more`)] })).toEqual([]);
  });

  it('asks nothing of one of whom people were told when it closed', () => {
    expect(untold({ trails: [ended(0, 'failed', 'done')], messages: [] })).toEqual([]);
  });
});

describe('messages', () => {
  it('finds more than the roll allows, by the causes that were found', () => {
    const trails = Array.from({ length: 20 }, (_, index) => trailOf(index, treated(0, 10)));
    const message = { at: new Date(start), kind: 'incident-closed', incident: 'inc', title: '', text: '' };
    const { most } = countMessages({ messages: [], trails }, roll);
    expect(most).toBeLessThan(20);
    const enough = Array.from({ length: most }, () => message);
    expect(tooManyMessages({ messages: enough, trails }, roll)).toEqual([]);
    expect(tooManyMessages({ messages: [...enough, message], trails }, roll)).toHaveLength(1);
    // Cards and progress are bounded elsewhere.
    const card = { ...message, kind: 'approval-requested' };
    expect(tooManyMessages({ messages: [...enough, card], trails }, roll)).toEqual([]);
  });
});

describe('left-behind', () => {
  it('finds whatever is still held or open', () => {
    const place = {
      incident: 'inc-1',
      instanceId: 'i-1',
      nodeGroup: 'web',
      zone: 'a',
      treatment: 'x',
      since: '',
      until: '',
    };
    const undo = { document: 'enable-agent', arguments: {} };
    const open: Step = {
      at: 1,
      step: 'treatment.intended',
      rung: 0,
      treatment: 'disable-agent',
      details: { undo },
    };
    const facts = factsOf({
      trails: [trailOf(0, [open])],
      left: {
        leases: [{ instanceId: 'i-1', holder: 'inc-1' }],
        budget: { holders: [place], waiting: [{ ...place, nodes: { cluster: 1, nodeGroup: 1 } }] },
        cordoned: ['node-1'],
      },
    });
    expect(whats(leftBehind(facts))).toEqual([
      'inc-1 still has the lease of i-1',
      'inc-1 still holds a place in the budget',
      'inc-1 still waits for a place in the budget',
      'node-1 is still cordoned',
      'inc-0 does not say what became of disable-agent on its node',
    ]);
    expect(leftBehind(factsOf({ trails: [trailOf(0, treated(0, 1))] }))).toEqual([]);
  });
});

describe('trails', () => {
  const [sample] = sampleIncidents(['local']);
  const texts = sample?.texts ?? [];
  const facts = (own: readonly string[]) => {
    const trails = trailsOf(own.map((message) => ({ stream: sample?.incident ?? '', message })));
    const nodes = trails.map(({ instanceId }) => nodeOf(0, { instanceId }));
    return { ...factsOf({ trails, publicKey: samplePem }), nodes };
  };

  it('are whole and signed, in whatever order and however often their lines come', () => {
    expect(trailProblems(facts(texts))).toEqual([]);
    expect(trailProblems(facts([...texts.toReversed(), ...texts.slice(0, 1)]))).toEqual([]);
  });

  it('that are changed, unsigned, without an end, or of nobody are found', () => {
    const changed = texts.map((text) => text.replace('"asked"', '"asks"'));
    expect(whats(trailProblems(facts(changed)))).toEqual([expect.stringContaining('is broken')]);
    expect(whats(trailProblems(facts(texts.slice(0, -1))))).toEqual([expect.stringContaining('is open')]);
    expect(whats(trailProblems(facts(texts.slice(0, 3))))).toEqual([
      expect.stringContaining('does not say how it ended'),
    ]);
    expect(whats(trailProblems({ ...facts(texts), ended: new Set() }))).toEqual([
      expect.stringContaining('has not come to its end'),
    ]);
    expect(whats(trailProblems({ ...facts([]), nodes: [nodeOf(3)] }))).toEqual([
      `the alarm of ${nodeOf(3).instanceId} came to no incident`,
    ]);
  });
});

describe('rates', () => {
  const quota = { name: 'x', counts: /^ec2:X$/, bucket: 10, perSecond: 5, source: 'a page' };
  const calls = (count: number, every: number) =>
    Array.from({ length: count }, (_, index) => ({ call: 'ec2:X', at: index * every }));

  it('count the most within one second, and what a bucket would refuse', () => {
    const [burst] = ratesOf(calls(12, 0), [quota]);
    expect(burst).toMatchObject({ count: 12, peak: 12, quota: { throttled: 2 } });
    expect(whats(overQuota([...(burst === undefined ? [] : [burst])]))).toEqual([
      '2 calls of ec2:X would have been throttled: 12 in one second at the peak, and the quota is 5 a second with a bucket of 10 (a page)',
    ]);
    // A bucket is no fuller after a quiet time than it was at first.
    const late = calls(12, 0).map((one) => ({ ...one, at: 100 }));
    expect(ratesOf([...calls(1, 0), ...late], [quota])[0]?.quota?.throttled).toBe(2);
    // As fast as it fills, for ever.
    expect(ratesOf(calls(1000, 0.25), [quota])).toMatchObject([{ peak: 4, quota: { throttled: 0 } }]);
    expect(ratesOf(calls(100, 0.1), [quota])[0]?.quota?.throttled).toBeGreaterThan(30);
  });

  it('of what has no quota are only said', () => {
    const rates = ratesOf([{ call: 'ssm:SendCommand', at: 1 }]);
    expect(rates).toEqual([{ call: 'ssm:SendCommand', count: 1, peak: 1 }]);
    expect(overQuota(rates)).toEqual([]);
  });

  it('each known quota has a page of AWS, and counts something', () => {
    for (const { source, bucket, perSecond } of quotas) {
      expect(source).toMatch(/^https:\/\/docs\.aws\.amazon\.com\//);
      expect(bucket).toBeGreaterThanOrEqual(perSecond);
    }
  });
});

describe('over-wave', () => {
  const member = (index: number, from: number, details: object, outcome = 'pass') =>
    trailOf(
      index,
      treated(from, from + 10).map((step) =>
        step.step === 'gated' ? { ...step, outcome, details: { cohort: 'abc', ...details } } : step,
      ),
    );
  const wave = (number: number, size: number) => ({ wave: { number, size } });

  it('knows the card and the waves of nodes that go together, and one node by itself is none', () => {
    const trails = [
      member(0, 0, {}, 'ask'),
      member(1, 20, wave(2, 2)),
      member(2, 20, wave(2, 2)),
      trailOf(3, treated(0, 10)),
    ];
    expect(cohortsOf(trails)).toEqual([
      {
        cohort: 'abc',
        treatment: 'restart-kubelet',
        nodes: 3,
        cards: 1,
        waves: [
          { number: 1, size: 1, treated: 1 },
          { number: 2, size: 2, treated: 2 },
        ],
        notTreated: 0,
      },
    ]);
    expect(overWave({ trails })).toEqual([]);
    expect(cohortsOf(trails.slice(0, 1))).toEqual([]);
    // Asked again once it was looked at again: that is no card.
    const again = member(0, 0, { waiting: { lookAgain: true } }, 'ask');
    expect(cohortsOf([again, ...trails.slice(1)])).toMatchObject([{ nodes: 3, cards: 0 }]);
  });

  it('leaves out a node that was asked about by itself, before others asked for the same', () => {
    const asked = (index: number, from: number, details: Record<string, unknown>): Trail => {
      const { entries } = member(index, from, {}, 'ask');
      const card = { at: from, step: 'approval.requested' as const, rung: 0, details };
      return trailOf(
        index,
        entries.flatMap(({ at: _, ...entry }) => {
          const step = { ...entry, at: from };
          return entry.step === 'gated' ? [step, card] : [step];
        }),
      );
    };
    const others = [asked(1, 20, { cohort: 'abc' }), member(2, 40, wave(2, 2))];
    expect(cohortsOf([asked(0, 0, {}), ...others])).toMatchObject([{ nodes: 2, cards: 1 }]);
    expect(overWave({ trails: [asked(0, 0, {}), ...others] })).toEqual([]);
    expect(overWave({ trails: [asked(0, 0, { cohort: 'abc' }), ...others] })).toHaveLength(1);
    // A cohort of its own before them, with another card.
    const before = [
      asked(0, 0, { cohort: 'abc', approvalId: 'first' }),
      member(3, 10, { ...wave(2, 2), approvalId: 'first' }),
    ];
    expect(overWave({ trails: [...before, ...others] })).toEqual([]);
    expect(cohortsOf([...before, ...others])).toMatchObject([{ nodes: 2 }, { nodes: 2 }]);
  });

  it('finds more nodes in a wave than it has places', () => {
    const trails = [member(0, 0, {}, 'ask'), member(1, 5, wave(1, 1))];
    expect(whats(overWave({ trails }))).toEqual([
      '2 nodes were treated by restart-kubelet in wave 1, which has 1 places',
    ]);
  });
});
