import type { Evidence } from '../evidence/evidence.ts';
import { cgroupVersion, kernelVersions } from '../evidence/kubelet-figures.ts';
import { probeValue } from '../evidence/probe.ts';
import { isOlder } from '../version.ts';
import type { Cause, Finding, Prevention } from './cause.ts';
import { gather } from './gather.ts';
import { where } from './where.ts';

/** A memory cgroup has an id of 16 bits (MEM_CGROUP_ID_MAX). */
const ids = 65_535;
/** From here on they are as good as gone: a node that cannot make one more had some in its hand when it was looked at. */
const nearlyAll = 60_000;
/** Since this kernel a dying memory cgroup gives its id back (commit 73f576c04b94); before it, it keeps it. */
export const givesBack = '4.7';

const mkdirFact = 'error of making a memory cgroup';
const kernelFact = 'kernel';
const liveFact = 'memory cgroup directories';
const totalFact = 'memory cgroups, dying ones among them';
const textFacts = {
  journal: '"no space left on device" on cgroup paths, in the journal',
  sandboxes: 'sandboxes that could not be made: "no space left on device"',
  console: '"no space left on device" on cgroup paths, on the console',
  noMemory: '"cannot allocate memory" on cgroup paths, in journal and events',
} as const;

/** The kernel has no id left for a new memory cgroup: no pod, no login and no service can start. */
export const memcgIdExhaustion: Cause<'memcg-id-exhaustion'> = {
  id: 'memcg-id-exhaustion',
  title: 'The kernel cannot make another memory cgroup: its ids are used up, and nothing new can start.',
  seen: 'A memory cgroup that cannot be made (no space left on device; no memory, where the kernel is older than 4.7), by the probe, the journal, events or the console, or nearly all of the 65,535 ids in use.',
  excludedBy:
    'One can be made; a kernel from 4.7 on with room among its directories; caches whose drop gave the ids back; or empty directories that hold most of them, which can be removed.',
  // On kernels where the dying keep their ids they are the reason, and reclaim does not give the ids back.
  explains: ['dying-memcgs', 'leaked-scopes'],

  judge(evidence, thresholds) {
    const { findings, atLeast, fact } = gather(thresholds);
    const kernels = kernelVersions(evidence);
    const kernel = kernels.find((one) => isOlder(one, givesBack) === true) ?? kernels[0];
    const old = isOlder(kernel, givesBack);
    const { live, total } = countsOf(evidence);
    const mkdir = probeValue(evidence.probes.mkdirProbe);
    // Any other error says that the probe could not try, not how it would have ended.
    const errno = mkdir?.errno === 'ENOSPC' || mkdir?.errno === 'ENOMEM' ? mkdir.errno : undefined;
    const works = mkdir !== undefined && mkdir.errno === null;

    if (errno !== undefined) {
      const weight = errno === 'ENOSPC' ? 0.7 : 0.6;
      fact({ fact: mkdirFact, value: errno, speaks: 'for', weight, source: 'tried on the node' });
    } else if (works) {
      fact({
        fact: mkdirFact,
        value: 'none',
        speaks: 'against',
        source: `${mkdir.made ?? 'some'} were made and removed`,
      });
    }
    const told = {
      journal: probeValue(evidence.probes.journal)?.cgroupNoSpace,
      sandboxes: probeValue(evidence.probes.nodeEvents)?.sandboxNoSpace,
      console: probeValue(evidence.probes.console)?.cgroupNoSpace,
    };
    const weights = { journal: 0.6, sandboxes: 0.4, console: 0.6 };
    const noSpace = (['journal', 'sandboxes', 'console'] as const).map((name) =>
      atLeast({
        fact: textFacts[name],
        value: told[name],
        threshold: 1,
        weight: weights[name],
        source: 'counted',
      }),
    );
    const noMemory = atLeast({
      fact: textFacts.noMemory,
      value: sumOf(
        probeValue(evidence.probes.journal)?.cgroupNoMemory,
        probeValue(evidence.probes.nodeEvents)?.sandboxNoMemory,
      ),
      threshold: 1,
      weight: 0.4,
      source: 'counted; only where the dying keep their ids does it mean them',
    });
    fact({
      fact: kernelFact,
      value: old === undefined ? undefined : kernel,
      threshold: givesBack,
      speaks: old ? 'for' : 'against',
      source: 'before 4.7 a dying memory cgroup keeps its id; since then 65,535 is no ceiling for them',
      ...(old ? { weight: 0.5 } : {}),
    });
    const crowded = atLeast({
      fact: liveFact,
      value: live,
      threshold: nearlyAll,
      weight: 0.5,
      source: `each holds one of ${ids} ids, on every kernel`,
    });
    const full =
      crowded || old === false
        ? undefined
        : atLeast({
            fact: totalFact,
            value: total,
            threshold: nearlyAll,
            // On a kernel that nobody knows it decides nothing about how sure this is.
            weight: old ? 0.5 : 0,
            source: `of ${ids} ids, where the dying keep theirs`,
          });

    const said = noSpace.includes(true);
    const signs: Signs = { errno, said, noMemory: noMemory ?? false, works, old, crowded, full };
    const failing = fails(signs);
    if (failing === false) return { result: 'excluded', findings };
    if (failing !== true) return { result: 'insufficient-evidence', needs: failing.needs, findings };

    const freed = probeValue(evidence.probes.observations)?.tried.find(
      ({ what, helped }) => helped && (what === 'drop-caches' || what === 'reclaim'),
    );
    if (freed !== undefined) {
      // The ids came back with the cgroups: they were dying ones that reclaim frees, and nothing worse.
      fact({ fact: `${freed.what} helped`, value: true, speaks: 'against', source: 'tried by hand' });
      return { result: 'excluded', findings };
    }
    const empty = unpopulatedIn(evidence);
    if (empty !== undefined && empty >= ids / 2) {
      const source = 'they hold the ids, and removing them gives the ids back';
      fact({
        fact: 'directories without a process',
        value: empty,
        threshold: Math.ceil(ids / 2),
        speaks: 'against',
        source,
      });
      return { result: 'excluded', findings };
    }
    return { result: 'matches', findings };
  },

  explain(findings) {
    const value = (fact: string) => findings.find((finding) => finding.fact === fact)?.value;
    const speaksFor = (fact: string) =>
      findings.some((finding) => finding.fact === fact && finding.speaks === 'for');
    const errno = value(mkdirFact);
    const kernel = value(kernelFact);
    const told = Object.values(textFacts).filter(speaksFor);
    return [
      'This node cannot make memory cgroups any more: no new pod, login or service can start, and those that run go on.',
      speaksFor(mkdirFact) ? ` Making one failed with ${errno}.` : '',
      told.length > 0 ? ` Seen: ${told.map((fact) => `${fact} (${value(fact)})`).join('; ')}.` : '',
      speaksFor(kernelFact)
        ? ` Kernel ${kernel} keeps the id of each of its 65,535 memory cgroups until nothing is charged to it any more, so removed ones use them up; only a reboot or a replacement of the node helps.`
        : '',
      speaksFor(liveFact)
        ? ` ${value(liveFact)} directories exist, and each holds one of 65,535 ids: whoever makes them does not remove them.`
        : '',
      speaksFor(totalFact) ? ` ${value(totalFact)} memory cgroups are counted, of 65,535 ids.` : '',
      ' The disk is not what is full.',
    ].join('');
  },

  untreated:
    'Nothing new starts on this node: pods that are scheduled to it stay in ContainerCreating, and each restart of a container may be its last.',

  prevent: preventions,
};

type Signs = {
  errno: string | undefined;
  said: boolean;
  noMemory: boolean;
  works: boolean;
  old: boolean | undefined;
  crowded: boolean | undefined;
  full: boolean | undefined;
};

/** Whether memory cgroups cannot be made for want of ids, or what would have to be known to say so. */
function fails({ errno, said, noMemory, works, old, crowded, full }: Signs): boolean | { needs: string[] } {
  if (errno === 'ENOSPC') return true;
  const memory = errno === 'ENOMEM' || noMemory;
  // There kernel memory of each cgroup may be what cannot be made, so that one without any still can.
  if (old === true && (said || memory)) return true;
  if (works) return false;
  if (said && (crowded || full)) return true;
  // Since 4.7 words about space on cgroup paths can mean anything (watches of inotify, an empty cpuset).
  if (old === false) {
    if (said && crowded === undefined) return { needs: ['cgroups'] };
    return errno === undefined && !said ? { needs: ['mkdirProbe'] } : false;
  }
  return { needs: said || memory ? ['host'] : ['mkdirProbe'] };
}

function countsOf(evidence: Evidence): { live: number | undefined; total: number | undefined } {
  const cgroups = probeValue(evidence.probes.cgroups);
  const counted = probeValue(evidence.probes.observations)?.controllers.memory;
  return {
    live: cgroups?.live,
    total: cgroups === undefined ? counted : Math.max(cgroups.live + cgroups.dying, counted ?? 0),
  };
}

function sumOf(...values: (number | null | undefined)[]): number | undefined {
  const seen = values.filter((value) => value != null);
  return seen.length === 0 ? undefined : seen.reduce((sum, value) => sum + value, 0);
}

function preventions(evidence: Evidence, findings: Finding[]): Prevention[] {
  const found = (fact: string) =>
    findings.find((finding) => finding.fact === fact && finding.speaks === 'for');
  const kernel = found(kernelFact);
  const live = found(liveFact);
  const kmem = probeValue(evidence.probes.kmem)?.accounting;
  const list: Prevention[] = [];
  if (kernel !== undefined) {
    const because = `kernel ${kernel.value}, older than ${givesBack}`;
    list.push({
      what: 'an AMI with a kernel that gives the ids back (AL2023: 6.1 or later)',
      where: where.ami,
      because,
    });
    list.push({
      what: 'do not scale out now with the same AMI: every new node comes to the same end after as many pods',
      where: where.scaling,
      because,
    });
    if (kmem !== 'off' && cgroupVersion(evidence) !== 2 && knowsNokmem(String(kernel.value))) {
      list.push({
        what: 'cgroup.memory=nokmem on the command line of the kernel, until the AMI is changed',
        where: where.bootParameters,
        because: `${because}, and ${kmem === 'on' ? 'kernel memory is charged to cgroups, which keeps them' : 'nothing says that kernel memory is not charged to cgroups'}`,
      });
    }
  }
  if (live !== undefined) {
    list.push({
      what: 'find who makes the directories and does not remove them (a container runtime within a container, its own cgroup driver), and have it remove them',
      where: 'the pods and services that the paths of the newest directories name',
      because: `${live.fact}: ${live.value}`,
    });
  }
  return list;
}

/** Of the kernels that are this old only the later ones of EL7 know it (3.10.0-1062, docker/for-linux#841). */
function knowsNokmem(kernel: string): boolean {
  const build = /^3\.10\.0-(\d+)\b.*\.el7/.exec(kernel)?.[1];
  return (build !== undefined && Number(build) >= 1062) || isOlder(kernel, '4.5') === false;
}

/** All directories without a process, whoever made them: each holds an id. */
function unpopulatedIn(evidence: Evidence): number | undefined {
  const unpopulated = probeValue(evidence.probes.unpopulated);
  if (unpopulated === undefined) return undefined;
  return unpopulated.pod + unpopulated.scope + unpopulated.session + unpopulated.other;
}
