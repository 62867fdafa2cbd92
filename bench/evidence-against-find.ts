import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { memoryMount } from '../local/node/memory-hierarchy-v1.ts';
import { runDocument } from '../local/node/ssm-agent.ts';
import { loadDocument } from '../ssm-documents/load.ts';
import { type Cost, cost, followMemory, median, shell } from './measure.ts';
import { number, type Row } from './table.ts';

const directories = 20_000;
const rounds = 7;
/** How many times the cost of the bare count a look may have, the sampling window apart. */
const most = { quick: 1.5, full: 3 };

/** `collect-evidence`, its sampling window apart, against counting the directories and nothing else. */
export async function evidenceAgainstFind(say: (text: string) => void): Promise<Row[]> {
  const top = join(memoryMount, `cgroup-medic-test-bench-${process.pid}`);
  say(`making ${number(directories)} live cgroups`);
  mkdirSync(top);
  try {
    for (let index = 0; index < directories; index += 1) mkdirSync(join(top, `live-${index}`));
    const find: Cost[] = [];
    const quick: Cost[] = [];
    const full: Cost[] = [];
    let peakKb = 0;
    for (let round = 0; round < rounds; round += 1) {
      find.push(await cost(() => shell(`find ${memoryMount} -type d | wc -l`)));
      quick.push(await cost(() => collect('quick')));
      full.push(await cost(() => collect('full')));
      // The follower reads /proc all the time, so it gets a run of its own.
      const follower = followMemory((name) =>
        ['bash', 'sh', 'awk', 'mawk', 'gawk', 'busybox'].includes(name),
      );
      await collect('full');
      peakKb = Math.max(peakKb, follower.stop());
    }
    return rows({ find, quick, full }, peakKb);
  } finally {
    for (const name of readdirSync(top)) if (name.startsWith('live-')) rmdirSync(join(top, name));
    rmdirSync(top);
  }
}

async function collect(profile: 'quick' | 'full'): Promise<void> {
  const { status, stderr } = await runDocument({
    content: loadDocument('collect-evidence').content,
    parameters: { profile, windowSeconds: '0' },
  });
  if (status !== 'Success') throw new Error(`collect-evidence ended as ${status}: ${stderr}`);
}

function rows(costs: Record<'find' | 'quick' | 'full', Cost[]>, peakKb: number): Row[] {
  const figure = (name: keyof typeof costs, kind: keyof Cost): number =>
    median(costs[name].map((one) => one[kind]));
  const compare = (profile: 'quick' | 'full', kind: keyof Cost): Row => {
    const [ours, theirs] = [figure(profile, kind), figure('find', kind)];
    return {
      what: `${profile}: ${kind === 'cpu' ? 'CPU' : 'wall'} seconds, median of ${rounds}, with ${number(directories)} live directories`,
      ours: `${number(ours, 2)} (${number(ours / theirs, 2)} times)`,
      theirs: number(theirs, 2),
      bar: { text: `at most ${most[profile]} times`, met: ours <= most[profile] * theirs },
    };
  };
  return [
    compare('quick', 'wall'),
    compare('quick', 'cpu'),
    compare('full', 'wall'),
    compare('full', 'cpu'),
    {
      what: 'peak memory of its own shells and awks, MiB',
      ours: number(peakKb / 1024, 1),
      theirs: '–',
      bar: { text: 'at most 32 MiB', met: peakKb <= 32 * 1024 },
    },
  ];
}
