import { loadDocument } from '../../ssm-documents/load.ts';
import { number, type Table } from '../table.ts';
import { type Guest, withGuest } from './guest.ts';
import type { Context, Part } from './part.ts';

const slice = '/pods.slice';
const few = 10;
const moreSlices = 10;

/** On v2 the kernel counts for us: how many files a census opens must not grow with the cgroups that live or die. */
export const opens: Part = {
  about: 'files that the quick profile opens on cgroup v2, with few and with many cgroups, counted by strace',
  where: 'vm',
  measure: (context) => withGuest('v2', context, (guest) => measure(guest, context)),
};

type Opens = { cgroup: number; all: number };

async function measure(guest: Guest, { sizes, say }: Context): Promise<Table> {
  await guest.node.write(
    '/run/collect-evidence',
    loadDocument('collect-evidence')
      .content.mainSteps.flatMap((step) => step.inputs.runCommand)
      .join('\n'),
  );
  // As kubelet has it: the slice, pods, containers.
  await guest.sh(`mkdir -p ${guest.mount}${slice}/pod{1..5}.slice`);
  await guest.sh('echo +memory >/sys/fs/cgroup/pods.slice/cgroup.subtree_control');
  const columns: string[] = [];
  const found: Opens[] = [];
  const look = async (column: string): Promise<void> => {
    columns.push(column);
    found.push(await countOpens(guest));
  };
  await makeLeaves(guest, few);
  // The first look makes the folder of its history.
  await countOpens(guest);
  await look(`${few} live leaves, ${await guest.dying(slice)} dying`);
  say(`making ${number(sizes.leaves)} dying cgroups and as many live ones in the node`);
  await guest.leak(`${slice}/pod1.slice`, sizes.leaves);
  await look(`${few} live leaves, ${number(await guest.dying(slice))} dying`);
  await makeLeaves(guest, sizes.leaves);
  await look(`${number(sizes.leaves)} live leaves, ${number(await guest.dying(slice))} dying`);
  await guest.sh(`mkdir ${guest.mount}/more{1..${moreSlices}}.slice`);
  await look(`the same, and ${moreSlices} slices more at the top`);
  const row = (what: string, kind: keyof Opens) => ({
    what,
    figures: found.map((one) => number(one[kind])),
  });
  return {
    title: `Files opened by collect-evidence, profile quick, cgroup v2, kernel ${await guest.sh('uname -r')}`,
    columns,
    rows: [
      {
        ...row('files and folders of the cgroup tree', 'cgroup'),
        bar: {
          text: 'the same with few and with many',
          met: found.slice(1, 3).every(({ cgroup }) => cgroup === found[0]?.cgroup),
        },
      },
      row('all files', 'all'),
    ],
  };
}

async function makeLeaves(guest: Guest, count: number): Promise<void> {
  await guest.sh(`
    for ((i = 0; i < ${count}; i++)); do echo ${guest.mount}${slice}/pod$((i % 5 + 1)).slice/leaf-$i; done | xargs mkdir -p`);
}

/** The fewer of two looks: a cgroup that comes and goes meanwhile is in one of them only. */
async function countOpens(guest: Guest): Promise<Opens> {
  const [one, other] = [await countOnce(guest), await countOnce(guest)];
  return { cgroup: Math.min(one.cgroup, other.cgroup), all: Math.min(one.all, other.all) };
}

/** Opens that succeeded. */
async function countOnce(guest: Guest): Promise<Opens> {
  const counted = await guest.sh(
    `SSM_profile=quick SSM_windowSeconds=0 strace -f -qq -o /run/trace -e trace=open,openat bash /run/collect-evidence >/run/evidence
    grep -q '"slices"' /run/evidence
    awk '/ = [0-9]+$/ { all++; if (/"\\/sys\\/fs\\/cgroup/) cgroup++ } END { print cgroup + 0, all + 0 }' /run/trace`,
    600,
  );
  const [cgroup = Number.NaN, all = Number.NaN] = counted.split(' ').map(Number);
  return { cgroup, all };
}
