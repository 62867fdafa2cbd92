import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../lambdas/domain/diagnosis.ts';
import { Evidence } from '../../lambdas/domain/evidence/evidence.ts';
import { readEvidence } from '../../lambdas/domain/evidence/read-evidence.ts';
import { isBelow } from '../../lambdas/domain/evidence/zombies.ts';
import { planFor } from '../../lambdas/domain/plan.ts';
import { clusterWith } from '../lambdas/domain/sample-evidence.ts';

const cluster = clusterWith();
const count = (max: number) => fc.integer({ min: 0, max });
const percent = fc.double({ min: 0, max: 100, noNaN: true });
const stall = fc.record({ avg10: percent, avg60: percent, avg300: percent, totalUs: count(1_000_000) });
const pressure = fc.record({ some: stall, full: fc.option(stall) });
const path = fc
  .array(fc.constantFrom('user.slice', 'system.slice', 'kubepods.slice', 'a', 'b'), {
    minLength: 1,
    maxLength: 3,
  })
  .map((parts) => `/${parts.join('/')}`);
const slice = fc.record({
  path,
  live: fc.option(count(1000)),
  dying: fc.option(count(100_000)),
  ghostKb: fc.option(count(1_000_000)),
  cachedKb: fc.option(count(1_000_000)),
});

function probe<T>(value: fc.Arbitrary<T>) {
  return fc.oneof(
    { weight: 5, arbitrary: value.map((present) => ({ status: 'ok' as const, value: present })) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('missing' as const, 'failed' as const)
        .map((status) => ({ status, reason: 'x' })),
    },
  );
}

const memory = fc
  .tuple(fc.integer({ min: 1_000_000, max: 400_000_000 }), percent)
  .map(([totalKb, available]) => ({
    totalKb,
    availableKb: Math.floor((totalKb * available) / 100),
    cachedKb: 0,
    slabReclaimableKb: 0,
    slabUnreclaimableKb: 0,
    percpuKb: 0,
    shmemKb: 0,
    dirtyKb: 0,
  }));

const evidence = fc
  .record({
    host: probe(fc.constant({ kernel: '6.1', os: 'x', bootId: 'b', uptimeSeconds: 1, cpus: 2 })),
    hierarchy: probe(
      fc.constant({ memory: 'v2' as const, layout: 'unified' as const, mount: '/sys/fs/cgroup' }),
    ),
    cgroups: probe(
      fc.record({ live: count(30_000), dying: count(200_000), source: fc.constant('cgroup.stat' as const) }),
    ),
    slices: probe(
      fc.record({
        // A directory is listed once.
        entries: fc.uniqueArray(slice, { maxLength: 12, selector: (entry) => entry.path }),
        omitted: count(10),
        unread: count(10),
      }),
    ),
    memory: probe(memory),
    pressure: probe(fc.record({ memory: pressure, io: pressure, cpu: pressure })),
    reclaim: probe(
      fc.record({
        windowMs: fc.constant(1000),
        pgscanDirect: count(10),
        pgscanKswapd: count(10),
        pgstealDirect: count(10),
        pgstealKswapd: count(10),
        allocstall: count(3),
        pgmajfault: count(10),
      }),
    ),
  })
  .map((probes) =>
    Evidence.parse({
      version: 1,
      document: 'collect-evidence',
      profile: 'full',
      collectedAt: '2026-11-21T06:00:00Z',
      probes,
    }),
  );

describe('diagnose, for any evidence', () => {
  it('answers the same for the same, within its bounds', () => {
    fc.assert(
      fc.property(evidence, (present) => {
        const diagnosis = diagnose(present, cluster.thresholds);

        expect(diagnose(present, cluster.thresholds)).toEqual(diagnosis);
        expect(diagnosis.confidence).toBeLessThan(1);
        expect(diagnosis.explanation).not.toMatch(/undefined|NaN|null/);
        expect(diagnosis.gaps).toHaveLength(
          Object.entries(present.probes).filter(
            ([name, { status }]) => status !== 'ok' && name !== 'observations',
          ).length,
        );
      }),
    );
  });

  it('never becomes healthy, and never surer, by losing a probe', () => {
    fc.assert(
      fc.property(evidence, fc.constantFrom(...Object.keys(Evidence.shape.probes.shape)), (present, lost) => {
        const whole = diagnose(present, cluster.thresholds);
        const probes = { ...present.probes, [lost]: { status: 'missing', reason: 'lost' } };
        const less = diagnose({ ...present, probes } as Evidence, cluster.thresholds);

        if (whole.cause !== 'healthy') expect(less.cause).not.toBe('healthy');
        if (less.cause === whole.cause) expect(less.confidence).toBeLessThanOrEqual(whole.confidence);
      }),
    );
  });

  it('never becomes healthier by more zombies', () => {
    fc.assert(
      fc.property(evidence, count(100_000), (present, more) => {
        const { cgroups } = present.probes;
        fc.pre(cgroups.status === 'ok' && diagnose(present, cluster.thresholds).cause === 'dying-memcgs');
        const value = { ...cgroups.value, dying: cgroups.value.dying + more };
        const worse = {
          ...present,
          probes: { ...present.probes, cgroups: { status: 'ok' as const, value } },
        };

        expect(diagnose(worse, cluster.thresholds).cause).toBe('dying-memcgs');
      }),
    );
  });
});

describe('planFor, for any evidence', () => {
  it('reclaims only for dying cgroups, in allowed slices that hold some, none inside another', () => {
    fc.assert(
      fc.property(evidence, (present) => {
        const diagnosis = diagnose(present, cluster.thresholds);
        const { plan } = planFor(diagnosis, present, cluster);
        const reclaim = plan.find(({ treatment }) => treatment === 'reclaim');

        expect(plan.at(-1)?.treatment).toBe(diagnosis.cause === 'healthy' ? undefined : 'notify');
        if (reclaim === undefined) return;
        const paths = (reclaim.arguments.slices ?? '').split(' ');
        expect(diagnosis.cause).toBe('dying-memcgs');
        expect(
          paths.every((one) =>
            cluster.reclaim.slices.some((allowed) => one === allowed || isBelow(one, allowed)),
          ),
        ).toBe(true);
        expect(paths.some((one) => paths.some((other) => isBelow(one, other)))).toBe(false);
      }),
    );
  });
});

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
      fc.property(evidence, fc.nat(), (present, cut) => {
        const text = JSON.stringify(present);

        expect(readEvidence(text)).toEqual({ ok: true, evidence: present });
        expect(readEvidence(text.slice(0, cut % text.length)).ok).toBe(false);
      }),
    );
  });
});
