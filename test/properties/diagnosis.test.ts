import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confidenceOf } from '../../lambdas/domain/causes/confidence.ts';
import { causes } from '../../lambdas/domain/causes/index.ts';
import { Diagnosis, diagnose } from '../../lambdas/domain/diagnosis.ts';
import { contradictionsIn, withoutProbes } from '../../lambdas/domain/evidence/contradictions.ts';
import { Evidence } from '../../lambdas/domain/evidence/evidence.ts';
import { gapsOf } from '../../lambdas/domain/evidence/gaps.ts';
import { readEvidence } from '../../lambdas/domain/evidence/read-evidence.ts';
import { isBelow } from '../../lambdas/domain/evidence/zombies.ts';
import { planFor } from '../../lambdas/domain/plan.ts';
import { forbids } from '../../lambdas/domain/treatments/forbidden.ts';
import { clusterWith, evidenceWith } from '../lambdas/domain/sample-evidence.ts';
import { anyEvidence, probeNames } from './arbitrary-evidence.ts';
import { runs } from './runs.ts';

const cluster = clusterWith();
const { thresholds } = cluster;
const usual = runs(200);

/** Every finding of every rule, with which side of its threshold the value is on: of a figure that several places gave, all in their order. */
function sidesOf(evidence: Evidence): Map<string, string> {
  const contradictions = contradictionsIn(evidence);
  // Where the evidence contradicts itself, it is judged once more without what does.
  const looks = [
    evidence,
    ...contradictions.map(({ probes, says }) => withoutProbes(evidence, probes, says)),
  ];
  const sides = new Map<string, string>();
  for (const [look, looked] of looks.entries()) {
    for (const { id, judge } of causes) {
      for (const { fact, threshold, speaks } of judge(looked, thresholds).findings) {
        const name = `${look} ${id}: ${fact}`;
        if (threshold !== undefined) sides.set(name, `${sides.get(name) ?? ''} ${speaks}`);
      }
    }
  }
  // How far two counts may be apart before they contradict each other is a threshold as well.
  for (const { probes } of contradictions) sides.set(`contradiction of ${probes.join(' and ')}`, 'against');
  return sides;
}

describe('diagnose, for any evidence', () => {
  it('answers the same for the same, within its bounds, in words', () => {
    fc.assert(
      fc.property(anyEvidence, (present) => {
        const diagnosis = diagnose(present, thresholds);

        expect(diagnose(structuredClone(present), thresholds)).toEqual(diagnosis);
        expect(Diagnosis.safeParse(diagnosis).error).toBeUndefined();
        expect(diagnosis.confidence).toBeLessThan(1);
        for (const text of [diagnosis.explanation, diagnosis.untreated, ...preventionsOf(diagnosis)]) {
          expect(text).not.toMatch(/undefined|NaN|null|\[object/);
          expect(text).not.toBe('');
        }
        expect(diagnosis.gaps).toEqual(gapsOf(present));
      }),
      usual,
    );
  });

  it('is as sure as its findings are heavy, and no surer', () => {
    fc.assert(
      fc.property(anyEvidence, (present) => {
        const { cause, confidence, findings } = diagnose(present, thresholds);
        const doubt = findings
          .filter(({ speaks }) => speaks === 'for')
          .reduce((left, { weight = 0 }) => left * (1 - weight), 1);

        if (cause === 'inconclusive') expect(confidence).toBe(0);
        else {
          expect(confidence).toBeLessThanOrEqual(1 - doubt + 1e-9);
          expect(confidence).toBeGreaterThan(1 - doubt - 0.01);
          expect(confidence).toBeGreaterThanOrEqual(thresholds.leastConfidence);
        }
      }),
      usual,
    );
  });

  it('never becomes healthy, and never surer, by losing a probe', () => {
    fc.assert(
      fc.property(anyEvidence, fc.constantFrom(...probeNames), (present, lost) => {
        const whole = diagnose(present, thresholds);
        const probes = { ...present.probes, [lost]: { status: 'missing', reason: 'lost' } };
        const less = diagnose({ ...present, probes } as Evidence, thresholds);

        // What people found out by hand is no probe: a node about which nobody noted anything has lost nothing.
        if (whole.cause !== 'healthy' && lost !== 'observations') expect(less.cause).not.toBe('healthy');
        if (less.cause === whole.cause) expect(less.confidence).toBeLessThanOrEqual(whole.confidence);
      }),
      runs(500),
    );
  });

  it('is never surer of any rule by losing a probe, whatever rule it is', () => {
    fc.assert(
      fc.property(anyEvidence, fc.constantFrom(...probeNames), (present, lost) => {
        const probes = { ...present.probes, [lost]: { status: 'failed', reason: 'lost' } };
        const less = { ...present, probes } as Evidence;

        for (const { judge } of causes) {
          const before = judge(present, thresholds);
          const after = judge(less, thresholds);
          if (after.result !== 'matches' || before.result === 'insufficient-evidence') continue;
          if (before.result === 'matches') {
            expect(confidenceOf(after.findings)).toBeLessThanOrEqual(confidenceOf(before.findings));
          }
        }
      }),
      runs(500),
    );
  });

  it('never becomes healthier by more zombies', () => {
    fc.assert(
      fc.property(anyEvidence, fc.integer({ min: 1, max: 100_000 }), (present, more) => {
        const { cgroups } = present.probes;
        fc.pre(cgroups.status === 'ok');
        if (cgroups.status !== 'ok') return;
        const value = { ...cgroups.value, dying: cgroups.value.dying + more };
        const worse: Evidence = {
          ...present,
          probes: { ...present.probes, cgroups: { status: 'ok', value } },
        };

        if (diagnose(present, thresholds).cause !== 'healthy') {
          expect(diagnose(worse, thresholds).cause).not.toBe('healthy');
        }
      }),
      usual,
    );
  });

  it('says the same of a node of another size, unless a figure passes a threshold', () => {
    fc.assert(
      fc.property(anyEvidence, fc.constantFrom(2, 4, 16), (present, times) => {
        const larger = scaled(present, times);
        const [small, large] = [diagnose(present, thresholds), diagnose(larger, thresholds)];

        if (small.cause !== large.cause || small.confidence !== large.confidence) {
          const before = sidesOf(present);
          const after = sidesOf(larger);
          const passed = [...before.keys(), ...after.keys()].filter(
            (fact) => before.get(fact) !== after.get(fact),
          );
          expect({ from: small.cause, to: large.cause, passed }).not.toMatchObject({ passed: [] });
        }
      }),
      usual,
    );
  });

  it('leaves a healthy node healthy when every figure moves by a tenth', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0.9, max: 1.1, noNaN: true })), (factors) => {
        expect(diagnose(shaken(evidenceWith(), factors), thresholds).cause).toBe('healthy');
      }),
      runs(200),
    );
  });
});

describe('planFor, for any evidence', () => {
  it('has no treatment that is forbidden for its cause or its node, and ends with a person', () => {
    fc.assert(
      fc.property(anyEvidence, (present) => {
        const diagnosis = diagnose(present, thresholds);
        const { plan } = planFor(diagnosis, present, cluster);

        for (const { treatment, arguments: args } of plan) {
          expect(forbids(diagnosis.cause, treatment, args, present)).toBeUndefined();
        }
        expect(plan.at(-1)?.treatment).toBe(diagnosis.cause === 'healthy' ? undefined : 'notify');
      }),
      usual,
    );
  });

  it('reclaims only in allowed slices, none inside another', () => {
    fc.assert(
      fc.property(anyEvidence, (present) => {
        const { plan } = planFor(diagnose(present, thresholds), present, cluster);
        for (const { treatment, arguments: args } of plan) {
          if (treatment !== 'reclaim') continue;
          const paths = (args.slices ?? '').split(' ');
          expect(
            paths.filter(
              (one) => !cluster.reclaim.slices.some((allowed) => one === allowed || isBelow(one, allowed)),
            ),
          ).toEqual([]);
          expect(paths.some((one) => paths.some((other) => isBelow(one, other)))).toBe(false);
        }
      }),
      usual,
    );
  });

  it('says of every rung what will be checked, and in what time that can be seen', () => {
    fc.assert(
      fc.property(anyEvidence, (present) => {
        const { plan } = planFor(diagnose(present, thresholds), present, cluster);
        for (const { expects, reason } of plan) {
          expect(expects.windowSeconds).toBeGreaterThan(0);
          expect(expects.text).not.toMatch(/undefined|NaN|null/);
          expect(reason).not.toMatch(/undefined|NaN|null/);
        }
      }),
      usual,
    );
  });
});

function preventionsOf({ prevention }: Diagnosis): string[] {
  return prevention.flatMap(({ what, where, because }) => [what, where, because]);
}

/** The same node, so many times as large: what is counted or measured for the whole of it grows, shares stay. */
function scaled(present: Evidence, times: number): Evidence {
  const grow = (value: unknown, key: string): unknown => {
    if (typeof value === 'number')
      return /Kb$|^cpus$|^(live|dying|made|removed)$|Millicores$|^capacity/.test(key) ? value * times : value;
    if (Array.isArray(value)) return value.map((one) => grow(one, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, grow(one, name)]));
  };
  const { memory, host, cgroups, slices, nodeStatus, ...others } = present.probes;
  const larger = grow({ memory, host, cgroups, slices, nodeStatus }, '');
  return Evidence.parse({ ...present, probes: { ...others, ...(larger as object) } });
}

/** Every figure a little other than it was; what was zero stays zero, and shares stay shares. */
function shaken(present: Evidence, factors: Iterator<number>): Evidence {
  const shake = (value: unknown, key: string): unknown => {
    if (typeof value === 'number' && !/^(version|memory|cgroupVersion|cpus|errno|windowMs)$/.test(key)) {
      const moved = value * (factors.next().value ?? 1);
      return Number.isInteger(value) ? Math.round(moved) : moved;
    }
    if (Array.isArray(value)) return value.map((one) => shake(one, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shake(one, name)]));
  };
  return Evidence.parse({ ...present, probes: shake(present.probes, '') });
}

describe('readEvidence, for any text', () => {
  it.each(['[]', 'null', '1', '{}', '{"document":"reclaim"}'])('says that %s is something else', (text) => {
    expect(readEvidence(text)).toMatchObject({
      ok: false,
      error: expect.stringContaining('not what collect-evidence prints'),
    });
  });

  it('never throws, and keeps what it could not read short and printable', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' })), (text) => {
        const read = readEvidence(text);

        expect(read.ok).toBe(false);
        if (read.ok) return;
        expect(read.rawHead.length).toBeLessThanOrEqual(500);
        expect(
          [...read.rawHead].some((character) => character < ' ' && character !== '\n' && character !== '\t'),
        ).toBe(false);
      }),
    );
  });

  it('keeps no more of a long text than its head', () => {
    const read = readEvidence('x'.repeat(5000));

    expect(read).toMatchObject({ ok: false, rawHead: 'x'.repeat(500) });
  });

  it('reads back what a node printed, and refuses it cut off anywhere', () => {
    fc.assert(
      fc.property(anyEvidence, fc.nat(), (present, cut) => {
        const text = JSON.stringify(present);

        expect(readEvidence(text)).toEqual({ ok: true, evidence: present });
        expect(readEvidence(text.slice(0, cut % text.length)).ok).toBe(false);
      }),
    );
  });
});
