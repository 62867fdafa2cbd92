import type * as z from 'zod';
import { Evidence } from '../../lambdas/domain/evidence/evidence.ts';

const text = 'kubepods.slice/kubepods-burstable.slice/';
const longestName = 200;
const mostKeys = 20;
const start = 1_790_000_000;

/** Evidence with every probe answered and every list of the schema at its bound. */
export function largestEvidence(): Evidence {
  const probes = largestOf(Evidence.shape.probes, 'probes', 0);
  return Evidence.parse({
    version: 1,
    document: 'collect-evidence',
    profile: 'full',
    collectedAt: '2026-11-21T06:30:00Z',
    probes,
  });
}

type Def = { type: string; [key: string]: unknown };

/** The largest value that a schema lets through, as far as it has a bound; `index` makes the entries of a list differ. */
function largestOf(schema: z.core.$ZodType, key: string, index: number): unknown {
  const def = schema._zod.def as unknown as Def;
  const below = (inner: unknown, name = key, at = index) => largestOf(inner as z.core.$ZodType, name, at);
  switch (def.type) {
    case 'default':
    case 'prefault':
    case 'nullable':
    case 'optional':
      return below(def.innerType);
    case 'boolean':
      return true;
    case 'literal':
      return (def.values as unknown[])[0];
    case 'enum':
      return Object.values(def.entries as Record<string, string>)[0];
    case 'union':
      return below((def.options as unknown[])[0]);
    case 'tuple':
      return (def.items as unknown[]).map((item) => below(item));
    case 'object':
      return Object.fromEntries(
        Object.entries(def.shape as Record<string, unknown>).map(([name, field]) => [
          name,
          below(field, name),
        ]),
      );
    case 'record': {
      const keyType = def.keyType as z.ZodType;
      const entries = (keyType._zod.def as unknown as Def).entries;
      const keys =
        entries === undefined
          ? Array.from({ length: mostKeys }, (_, at) => `key-${at}`)
          : Object.values(entries as Record<string, string>);
      return key === 'notRead' ? {} : Object.fromEntries(keys.map((name) => [name, below(def.valueType)]));
    }
    case 'array':
      return Array.from({ length: lengthOf(schema) }, (_, at) =>
        key === 'points' ? [start + at * 900, 1000 + at * 20 + (at % 7)] : below(def.element, key, at),
      );
    case 'number':
      return numberOf(schema as z.ZodNumber, index);
    case 'string':
      return textOf(schema as z.ZodType, index);
    default:
      throw new Error(`no largest value is known for ${def.type} (${key}): add it here`);
  }
}

function lengthOf(schema: z.core.$ZodType): number {
  const checks = schema._zod.def.checks ?? [];
  const bounds = checks.map((check) => (check._zod.def as { maximum?: number }).maximum);
  return bounds.find((bound) => bound !== undefined) ?? mostKeys;
}

function numberOf({ minValue }: z.ZodNumber, index: number): number {
  return Math.max(minValue ?? 0, 1000 + index);
}

function textOf(schema: z.ZodType, index: number): string {
  const long = `/${text.repeat(9)}`.slice(0, longestName - 6) + index;
  const fitting = [long, `reason ${index}`, 'i-0123456789abcdef0', '2026-11-21T06:30:00Z'].find(
    (one) => schema.safeParse(one).success,
  );
  if (fitting === undefined) throw new Error('no text is known that fits: add one here');
  return fitting;
}
