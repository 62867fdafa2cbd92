import { createHash } from 'node:crypto';
import { randomOf, shuffled } from './random.ts';

/**
 * What becomes of a node. helped: as the sample that its answers come from. silent: its agent takes no command. stubborn: what
 * was freed comes back, and it grows on. recovering: well by itself after the first look. vetoed: as the sample, and somebody
 * has marked it as not to be touched.
 */
export type Fate = 'helped' | 'silent' | 'stubborn' | 'recovering' | 'vetoed';

/** Percent of the nodes; the rest is helped. */
export type Shares = Readonly<Record<Exclude<Fate, 'helped'>, number>>;

export type FleetNode = {
  instanceId: string;
  bootId: string;
  nodeName: string;
  zone: string;
  nodeGroup: string;
  imageId: string;
  fate: Fate;
  /** How much slower than the quickest it answers, from 0 to 1. */
  pace: number;
};

const zones = ['us-east-1a', 'us-east-1b', 'us-east-1c'];
const groups = ['web', 'web', 'jobs', 'data'];
const images = ['ami-0a1b2c3d4e5f60001', 'ami-0a1b2c3d4e5f60001', 'ami-0a1b2c3d4e5f60002'];

/** The nodes of a storm. A share that is not nothing is one node at the least. */
export function fleetOf({
  nodes,
  seed,
  shares,
}: {
  nodes: number;
  seed: number;
  shares: Shares;
}): FleetNode[] {
  const random = randomOf(seed);
  const fates = shuffled(fatesOf(nodes, shares), random);
  return fates.map((fate, index) => {
    const id = createHash('sha256').update(`storm ${seed} ${index}`).digest('hex');
    return {
      instanceId: `i-${id.slice(0, 17)}`,
      bootId: [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20, 32)].join(
        '-',
      ),
      nodeName: `ip-10-${index >> 8}-${index & 255}-10.ec2.internal`,
      zone: pick(zones, random),
      nodeGroup: pick(groups, random),
      imageId: pick(images, random),
      fate,
      pace: random(),
    };
  });
}

function fatesOf(nodes: number, shares: Shares): Fate[] {
  const entries = Object.entries(shares) as [keyof Shares, number][];
  const others = entries.flatMap(([fate, percent]) => {
    const count = percent === 0 ? 0 : Math.max(1, Math.round((nodes * percent) / 100));
    return Array.from({ length: count }, (): Fate => fate);
  });
  const rest = Math.max(0, nodes - others.length);
  return [...others, ...Array.from({ length: rest }, (): Fate => 'helped')].slice(0, nodes);
}

function pick<T>(list: readonly T[], random: () => number): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error('there is nothing to pick from');
  return found;
}
