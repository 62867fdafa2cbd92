import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from '../bin/exec.ts';
import { memoryMount } from '../local/node/memory-hierarchy-v1.ts';
import { runDocument } from '../local/node/ssm-agent.ts';
import { loadDocument } from '../ssm-documents/load.ts';
import { withBenchPlace } from './bench-place.ts';
import { type Cost, cost, followMemory, median, run } from './measure.ts';
import { type Context, fullSizes } from './node/part.ts';
import { number, type Row, type Table } from './table.ts';

/** How many times the cost of the bare count a look may have, the sampling window apart. */
const most = { quick: 1.5, full: 3 };
const peakMiB = 32;

type Way = { name: string; rounds: number; once: (signal: AbortSignal) => Promise<unknown> };

/** The documents, their sampling window apart, and counting the directories and nothing else. */
const ours = (rounds: number) =>
  ({
    quick: { name: '`quick`', rounds, once: (signal) => collect(signal, 'quick') },
    full: { name: '`full`', rounds, once: (signal) => collect(signal, 'full') },
    find: {
      name: '`find -type d | wc -l`',
      rounds,
      once: (signal) => run(`find ${memoryMount} -type d | wc -l`, signal),
    },
  }) satisfies Record<string, Way>;

/** What else is in use, for comparison. */
const others = (rounds: number): Way[] => [
  {
    name: '`collect-services`',
    rounds,
    once: (signal) => document(signal, 'collect-services', {}),
  },
  ...(isInstalled('python3')
    ? [{ name: 'Python: every `cgroup.procs`', rounds, once: (signal: AbortSignal) => run(walk, signal) }]
    : []),
  {
    name: '`find -exec cat {} +`: every `memory.stat`',
    rounds,
    once: (signal) => run(`find ${memoryMount} -name memory.stat -exec cat {} + | wc -l`, signal),
  },
  {
    name: 'the same with `\\;`, once',
    rounds: 1,
    once: (signal) => run(`find ${memoryMount} -name memory.stat -exec cat {} \\; | wc -l`, signal),
  },
];

const walk = `python3 - <<'EOF_WALK'
import os
empty = 0
for path, _, names in os.walk('${memoryMount}'):
    if 'cgroup.procs' in names:
        with open(os.path.join(path, 'cgroup.procs')) as procs:
            if not procs.read().strip():
                empty += 1
print(empty)
EOF_WALK`;

export type EvidenceCost = {
  /** Medians. */
  quick: Cost;
  full: Cost;
  find: Cost;
  others: { name: string; cost: Cost }[];
  peakKb: number;
};

/** Every way in turn, so that they see the same machine. */
export async function measureEvidence(
  rounds: number,
  { say, signal }: Omit<Context, 'sizes'>,
  withOthers: boolean,
): Promise<EvidenceCost> {
  const { quick, full, find } = ours(rounds);
  const ways: Way[] = [find, quick, full, ...(withOthers ? others(rounds) : [])];
  const costs = new Map<Way, Cost[]>(ways.map((way) => [way, []]));
  let peakKb = 0;
  for (let round = 0; round < rounds; round += 1) {
    say(`  round ${round + 1} of ${rounds}`);
    for (const way of ways) {
      if (round < way.rounds) costs.get(way)?.push(await cost(() => way.once(signal)));
    }
    // The follower reads /proc all the time, so it gets a run of its own.
    const follower = followMemory(() => true);
    await collect(signal, 'full').finally(() => {
      peakKb = Math.max(peakKb, follower.stop());
    });
  }
  const middle = (way: Way): Cost => ({
    wall: median((costs.get(way) ?? []).map(({ wall }) => wall)),
    cpu: median((costs.get(way) ?? []).map(({ cpu }) => cpu)),
  });
  return {
    quick: middle(quick),
    full: middle(full),
    find: middle(find),
    others: ways.slice(3).map((way) => ({ name: way.name, cost: middle(way) })),
    peakKb,
  };
}

/** Live cgroups to walk over, while `act` does. */
export function withLiveCgroups<T>({ sizes, say, signal }: Context, act: () => Promise<T>): Promise<T> {
  return withBenchPlace('live', async ({ cgroup }) => {
    say(`making ${number(sizes.liveDirectories)} live cgroups`);
    for (let index = 0; index < sizes.liveDirectories; index += 1) {
      // Now and then somebody else has a turn: a signal, say.
      if (index % 500 === 0) await run('true', signal);
      mkdirSync(join(cgroup, `live-${index}`));
    }
    return act();
  });
}

/** What the evidence costs beside a bare count. */
export function evidenceRows(costs: EvidenceCost, beside: string): Row[] {
  const compare = (profile: 'quick' | 'full', kind: keyof Cost): Row => {
    const [one, bare] = [costs[profile][kind], costs.find[kind]];
    return {
      what: `${profile}: ${kind === 'cpu' ? 'CPU' : 'wall'} seconds${beside}`,
      figures: [
        `${number(one, 2)} (${number(one / bare, 2)} times)`,
        ...[bare, ...costs.others.map((other) => other.cost[kind])].map((seconds) => number(seconds, 2)),
      ],
      bar: { text: `at most ${most[profile]} times`, met: one <= most[profile] * bare },
    };
  };
  return [
    compare('quick', 'wall'),
    compare('quick', 'cpu'),
    compare('full', 'wall'),
    compare('full', 'cpu'),
    {
      what: `peak memory of all its processes, MiB${beside}`,
      figures: [number(costs.peakKb / 1024, 1)],
      bar: { text: `at most ${peakMiB} MiB`, met: costs.peakKb <= peakMiB * 1024 },
    },
  ];
}

export function evidenceColumns({ others }: EvidenceCost): string[] {
  return ['collect-evidence', '`find -type d | wc -l`', ...others.map(({ name }) => name)];
}

/** `collect-evidence` against counting the directories and nothing else. */
export async function evidenceAgainstFind(tools: Omit<Context, 'sizes'>): Promise<Table> {
  const context = { ...tools, sizes: fullSizes };
  const costs = await withLiveCgroups(context, () => measureEvidence(7, context, false));
  return {
    title: `Evidence against a bare count of ${number(fullSizes.liveDirectories)} directories, median of 7`,
    columns: evidenceColumns(costs),
    rows: evidenceRows(costs, ''),
  };
}

function collect(signal: AbortSignal, profile: 'quick' | 'full'): Promise<void> {
  return document(signal, 'collect-evidence', { profile, windowSeconds: '0' });
}

async function document(
  signal: AbortSignal,
  name: string,
  parameters: Record<string, string>,
): Promise<void> {
  const { status, stderr } = await runDocument({ content: loadDocument(name).content, parameters, signal });
  signal.throwIfAborted();
  if (status !== 'Success') throw new Error(`${name} ended as ${status}: ${stderr}`);
}
