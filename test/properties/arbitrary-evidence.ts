import fc from 'fast-check';
import type * as z from 'zod';
import { Evidence, type ProbeName } from '../../lambdas/domain/evidence/evidence.ts';
import { evidenceWith } from '../lambdas/domain/sample-evidence.ts';

/** Texts that mean something to a rule, by the name of their field; anything else is a name as nodes give them. */
const words: Readonly<Record<string, readonly string[]>> = {
  path: [
    '/',
    '/user.slice',
    '/system.slice',
    '/kubepods.slice',
    '/user.slice/user-0.slice',
    '/system.slice/a',
  ],
  unit: ['ecs.service', 'kubelet.service', 'node-agent.service', 'amazon-ssm-agent.service'],
  active: ['active', 'activating', 'failed', 'inactive'],
  sub: ['running', 'auto-restart', 'dead'],
  type: ['Ready', 'MemoryPressure', 'DiskPressure'],
  reason: ['Evicted', 'FailedCreatePodSandBox', 'NodeNotReady', 'x'],
  kernel: ['3.10.0-1160.el7', '4.14.200', '5.10.1', '6.1.90', '6.12.20', 'unknown'],
  symbol: ['mem_cgroup_css_rstat_flush', 'shrink_slab', 'x'],
  kubeletVersion: ['v1.31.2-eks-1', 'v1.34.0', 'v1.35.0'],
  version: ['v1.31.2-eks-1', 'v1.34.0', 'v1.35.0'],
  kubeletHeap: ['k8s.io/kubernetes/pkg/kubelet/podcertificate', 'runtime.malg'],
  name: ['deploy', 'root', 'git'],
};
const otherWords = ['a', 'b', 'some/name', '{curly} <b>"quoted"</b>', ''];

/** Small numbers, and those of every size that a node can show. */
const figures = fc.oneof(
  fc.constantFrom(0, 1, 2),
  fc.integer({ min: 0, max: 100 }),
  fc.integer({ min: 0, max: 5000 }),
  fc.integer({ min: 0, max: 300_000 }),
  fc.integer({ min: 0, max: 400_000_000 }),
);

type Def = { type: string; [key: string]: unknown };

/** Values of a schema, so that a probe or a field that is added later is generated as well. */
function valuesOf(schema: z.core.$ZodType, key = ''): fc.Arbitrary<unknown> {
  const def = schema._zod.def as unknown as Def;
  const inner = () => valuesOf(def.innerType as z.core.$ZodType, key);
  switch (def.type) {
    case 'default':
    case 'prefault':
      return inner();
    case 'nullable':
      return fc.oneof({ weight: 4, arbitrary: inner() }, { weight: 1, arbitrary: fc.constant(null) });
    case 'optional':
      return fc.oneof({ weight: 4, arbitrary: inner() }, { weight: 1, arbitrary: fc.constant(undefined) });
    case 'boolean':
      return fc.boolean();
    case 'literal':
      return fc.constantFrom(...(def.values as unknown[]));
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries as Record<string, string>));
    case 'union':
      return fc.oneof(...(def.options as z.core.$ZodType[]).map((option) => valuesOf(option, key)));
    case 'tuple':
      return fc.tuple(...(def.items as z.core.$ZodType[]).map((item) => valuesOf(item, key)));
    case 'record':
      return fc
        .array(fc.tuple(keysOf(def, key), valuesOf(def.valueType as z.core.$ZodType, key)), { maxLength: 4 })
        .map((entries) => Object.fromEntries(entries));
    case 'array':
      return key === 'points'
        ? courses
        : fc.array(valuesOf(def.element as z.core.$ZodType, key), { maxLength: 4 });
    case 'object': {
      const shape = def.shape as Record<string, z.core.$ZodType>;
      return fc.record(
        Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, valuesOf(field, name)])),
      );
    }
    case 'number':
      return numbersOf(schema, key);
    case 'string':
      return textOf(schema, key);
    default:
      throw new Error(`no values are known for ${def.type} (${key}): add them here`);
  }
}

function keysOf(def: Def, key: string): fc.Arbitrary<string> {
  const keyType = def.keyType as z.core.$ZodType;
  // What was not read would be a reason without a value.
  if (key === 'notRead') return fc.constantFrom('parts');
  return valuesOf(keyType, key) as fc.Arbitrary<string>;
}

function numbersOf(schema: z.core.$ZodType, key: string): fc.Arbitrary<number> {
  const { format, minValue } = schema as z.ZodNumber;
  const whole = format === 'safeint';
  const fits = (value: number): boolean => (schema as z.ZodType).safeParse(value).success;
  const least = minValue !== null && Number.isFinite(minValue) ? minValue : 0;
  const figure = /percent|ratio/i.test(key) ? fc.integer({ min: 0, max: 100 }) : figures;
  return fc
    .tuple(figure, fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([value, part]) => Math.max(least, whole ? value : value * part))
    .map((value) => (fits(value) ? value : value + 1));
}

function textOf(schema: z.core.$ZodType, key: string): fc.Arbitrary<string> {
  const fits = (text: string) => (schema as z.ZodType).safeParse(text).success;
  const known = [...(words[key] ?? []), ...otherWords, 'i-0123456789abcdef0', '/a'].filter(fits);
  if (known.length === 0) throw new Error(`no text is known for ${key}: add some here`);
  return fc.constantFrom(...known);
}

/** Courses as metrics have them: a level, a slope, a restart, and noise. */
const courses = fc
  .record({
    level: figures,
    perHour: fc.integer({ min: -500, max: 50_000 }),
    restartEvery: fc.constantFrom(0, 24, 7),
    hours: fc.constantFrom(0, 1, 12, 24),
    shake: fc.constantFrom(0, 0.02, 0.5),
  })
  .map(({ level, perHour, restartEvery, hours, shake }) =>
    Array.from({ length: hours * 4 }, (_, index): [number, number] => {
      const hour = restartEvery === 0 ? index / 4 : (index / 4) % restartEvery;
      const noise = 1 + shake * Math.sin(index * 7.3);
      return [1_790_000_000 + index * 900, Math.max(0, (level + perHour * hour) * noise)];
    }),
  );

/** The schema of the value of a probe that is ok. */
function valueSchema(probe: ProbeName): z.core.$ZodType {
  const outer = Evidence.shape.probes.shape[probe]._zod.def as unknown as { innerType: z.core.$ZodType };
  const options = (outer.innerType._zod.def as unknown as { options: z.core.$ZodType[] }).options;
  const shapes = options.map(
    (option) => (option._zod.def as unknown as { shape: Record<string, z.core.$ZodType> }).shape,
  );
  const value = shapes.find((shape) => 'value' in shape)?.value;
  if (value === undefined) throw new Error(`the probe ${probe} has no value`);
  return value;
}

export const probeNames = Object.keys(Evidence.shape.probes.shape) as ProbeName[];

/** A probe that says something, mostly, of any kind. */
function anyProbe(name: ProbeName): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 5, arbitrary: valuesOf(valueSchema(name), name).map((value) => ({ status: 'ok', value })) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        { status: 'missing', reason: 'x' },
        { status: 'missing', reason: 'x', byDesign: true },
        { status: 'failed', reason: 'x' },
      ),
    },
  );
}

function anyProbes(names: readonly ProbeName[]): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(Object.fromEntries(names.map((name) => [name, anyProbe(name)])));
}

/** A node that is well but for a few probes: what a rule says is not drowned by everything else. */
const partly = fc
  .subarray(probeNames, { minLength: 1, maxLength: 4 })
  .chain((names) => anyProbes(names))
  .map((probes) => evidenceWith(lawful(probes)));

/** Anything that the schema allows, whether it fits together or not. */
const wild = anyProbes(probeNames).map((probes) => evidenceWith(lawful(probes)));

/** A node has no less than what it has available, and lists a directory once. */
function lawful(probes: Record<string, unknown>): Record<string, unknown> {
  const changed = structuredClone(probes) as Record<
    string,
    { status: string; value: Record<string, unknown> }
  >;
  const { memory, slices } = changed;
  if (memory?.status === 'ok') {
    const total = Math.max(500_000, Number(memory.value.totalKb));
    memory.value.totalKb = total;
    memory.value.availableKb = Math.min(total, Number(memory.value.availableKb));
  }
  if (slices?.status === 'ok') {
    const entries = slices.value.entries as { path: string }[];
    slices.value.entries = entries.filter(
      ({ path }, index) => entries.findIndex((other) => other.path === path) === index,
    );
  }
  return changed;
}

/** Evidence with every probe there is, of nodes that are mostly well and of nodes that are anything. */
export const anyEvidence: fc.Arbitrary<Evidence> = fc.oneof(
  { weight: 3, arbitrary: partly },
  { weight: 1, arbitrary: wild },
);
