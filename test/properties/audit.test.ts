import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf } from '../../lambdas/domain/audit/entry.ts';
import { verifyExport } from '../../lambdas/domain/audit/verify-export.ts';
import { verifyTexts } from '../../lambdas/domain/audit/verify-trail.ts';
import { foreignPem, sampleIncidents, samplePem } from '../lambdas/domain/audit-sample.ts';
import { alter, ways } from './alter.ts';
import { runs } from './runs.ts';

const sample = sampleIncidents(['prod', 'test', 'prod', 'prod', 'test', 'prod']);
const [one = []] = sample.map(({ texts }) => texts);
const all = sample.flatMap(({ texts }) => texts);

const exportOf = (texts: readonly string[]) =>
  texts.map((text, index) => ({ text, file: 'export', line: index + 1 }));
const trail = (texts: readonly string[]) => verifyTexts(texts, samplePem);
const exported = (texts: readonly string[], key: string | undefined = samplePem) =>
  verifyExport(exportOf(texts), key);

type Change = (texts: readonly string[]) => string[] | undefined;

/** A byte of a line is another one, one more or one less. */
const byte: fc.Arbitrary<Change> = fc
  .tuple(
    fc.nat(),
    fc.nat(),
    fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...Buffer.from(' \t\n\r0'))),
    fc.constantFrom('replace', 'insert', 'remove', 'flip'),
  )
  .map(([line, where, value, how]) => (texts) => {
    const at = line % texts.length;
    const bytes = Buffer.from(texts[at] ?? '');
    const place = where % bytes.length;
    const before = bytes.subarray(0, place);
    const after = bytes.subarray(place + (how === 'insert' ? 0 : 1));
    const flipped = Buffer.from([(bytes[place] ?? 0) ^ (1 << (value % 8))]);
    const middle = {
      replace: Buffer.from([value]),
      insert: Buffer.from([value]),
      remove: Buffer.alloc(0),
      flip: flipped,
    }[how];
    return texts.with(at, Buffer.concat([before, middle ?? flipped, after]).toString('utf8'));
  });

/** A field, however deep, is something else, is gone, or has a neighbour; with or without a hash that fits again. */
const field: fc.Arbitrary<Change> = fc
  .tuple(
    fc.nat(),
    fc.nat(),
    fc.oneof(fc.jsonValue(), fc.constantFrom('', 0, null, '__proto__', 'i-1', samplePem)),
    fc.constantFrom(...ways),
    fc.boolean(),
  )
  .map(([line, where, value, how, rehash]) => (texts) => {
    const at = line % texts.length;
    const whole = JSON.parse(texts[at] ?? '');
    alter(whole, where, how, value);
    if (rehash && 'hash' in whole && whole.kind === undefined) whole.hash = hashOf(whole);
    return texts.with(at, JSON.stringify(whole));
  });

const drop: fc.Arbitrary<Change> = fc.nat().map((line) => (texts) => texts.toSpliced(line % texts.length, 1));

/** A line that was forged from another: it says something else, and its hash fits. */
const add: fc.Arbitrary<Change> = fc
  .tuple(fc.nat(), fc.nat(), fc.nat(20), fc.string(), fc.boolean())
  .map(([line, to, seq, what, next]) => (texts) => {
    const { kind, hash: _, ...body } = JSON.parse(texts[line % texts.length] ?? '');
    if (kind !== undefined) return undefined;
    const forged = { ...body, what: `forged ${what}`, seq: next ? body.seq + 1 : seq };
    return texts.toSpliced(to % (texts.length + 1), 0, JSON.stringify({ ...forged, hash: hashOf(forged) }));
  });

/** A line in the place of another one, which is gone. */
const instead: fc.Arbitrary<Change> = fc.tuple(fc.nat(), fc.nat()).map(([from, to]) => (texts) => {
  const source = texts[from % texts.length] ?? '';
  const at = to % texts.length;
  return texts[at] === source ? undefined : texts.with(at, source);
});

/** A line is there again, a little different. */
const twin: fc.Arbitrary<Change> = fc.tuple(fc.nat(), byte).map(([line, change]) => (texts) => {
  const [other] = change([texts[line % texts.length] ?? '']) ?? [];
  return other === undefined || texts.includes(other) ? undefined : [...texts, other];
});

const truncate: fc.Arbitrary<Change> = fc.tuple(fc.nat(), fc.boolean()).map(([at, withinLine]) => (texts) => {
  if (!withinLine) return texts.slice(0, at % texts.length);
  const text = texts.join('\n');
  return text.slice(0, at % text.length).split('\n');
});

/** Two fields of two lines have changed places. */
const swapFields: fc.Arbitrary<Change> = fc
  .tuple(
    fc.nat(),
    fc.nat(),
    fc.constantFrom(
      'seq',
      'hash',
      'previousHash',
      'what',
      'at',
      'incident',
      'cluster',
      'actor',
      'opening',
      'signature',
    ),
  )
  .map(([a, b, name]) => (texts) => {
    const [at, to] = [a % texts.length, b % texts.length];
    const [x, y] = [JSON.parse(texts[at] ?? ''), JSON.parse(texts[to] ?? '')];
    [x[name], y[name]] = [y[name], x[name]];
    return texts.with(at, JSON.stringify(x)).with(to, JSON.stringify(y));
  });

const changes = { byte, field, drop, add, instead, twin, truncate, swapFields };

/** Whether some of the lines are not what they were, whatever their order. */
function differs(changed: readonly string[], texts: readonly string[]): boolean {
  const set = new Set(changed);
  return set.size !== texts.length || texts.some((text) => !set.has(text));
}

describe.each(Object.entries(changes))(
  'of a trail or an export in which one thing was tampered with (%s)',
  (_, change) => {
    it('none is ok', () => {
      fc.assert(
        fc.property(change, (apply) => {
          const changed = apply(one);
          fc.pre(changed !== undefined && differs(changed, one));
          const report = trail(changed ?? []);
          expect(report).toMatchObject({ ok: false });
          expect(exported(changed ?? []).ok).toBe(false);
        }),
        runs(200),
      );
      fc.assert(
        fc.property(change, (apply) => {
          const changed = apply(all);
          // What is cut off between two incidents, at the end of the export, no export can tell: the range it reports does.
          fc.pre(changed !== undefined && differs(changed, all) && !isWholePart(changed));
          const report = exported(changed ?? []);
          expect(report).toMatchObject({ ok: false });
          expect(report.state === 'broken' ? report.firstBroken : report.open[0]).toBeDefined();
        }),
        runs(100),
      );
    });
  },
);

/** The export up to the end of an incident, as if it had been made then. */
function isWholePart(texts: readonly string[]): boolean {
  return sample.some((_, index) => {
    const part = sample.slice(0, index + 1).flatMap(({ texts: own }) => own);
    return !differs(texts, part);
  });
}

describe('of an export', () => {
  const shuffled = fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });

  it('lines in any order, each any number of times, are ok', () => {
    fc.assert(
      fc.property(shuffled, fc.array(fc.nat(all.length - 1), { maxLength: 30 }), (texts, again) => {
        const lines = [...texts, ...again.map((index) => texts[index] ?? '')];
        expect(exported(lines)).toMatchObject({ ok: true, entries: 36, repeated: again.length });
      }),
      runs(50),
    );
  });

  it('without any incident but the last of a cluster, the one that is missing is named, by its place', () => {
    fc.assert(
      fc.property(shuffled, fc.nat(sample.length - 1), (texts, index) => {
        const gone = sample[index];
        const later = sample.slice(index + 1).some(({ cluster }) => cluster === gone?.cluster);
        fc.pre(later);
        const number = sample.slice(0, index + 1).filter(({ cluster }) => cluster === gone?.cluster).length;
        const left = texts.filter((text) => !gone?.texts.includes(text));
        const report = exported(left);
        expect(report.ok).toBe(false);
        const said = report.firstBroken?.reason ?? report.open.join();
        expect(said).toContain(`opening ${number} of ${gone?.cluster} is missing`);
        if (number > 1) expect(said).toContain(`incident ${gone?.incident} was opened before this one`);
      }),
      runs(50),
    );
  });

  it('nothing is ok with another key, without one, or with one that it brings along', () => {
    fc.assert(
      fc.property(shuffled, fc.constantFrom(foreignPem, undefined), (texts, key) => {
        expect(verifyExport(exportOf(texts), key).ok).toBe(false);
        const keyLine = JSON.stringify({ kind: 'public-key', pem: samplePem });
        expect(verifyExport(exportOf([keyLine, ...texts]), key).ok).toBe(false);
      }),
      runs(20),
    );
  });
});
