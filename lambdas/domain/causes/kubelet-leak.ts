import type { Evidence } from '../evidence/evidence.ts';
import { exitedContainers, kubeletRssKb, kubeletVersion } from '../evidence/kubelet-figures.ts';
import { probeValue } from '../evidence/probe.ts';
import { courseAsReported, growthPerDay } from '../trend.ts';
import { isOlder } from '../version.ts';
import type { Cause, Finding, Prevention } from './cause.ts';
import { gather } from './gather.ts';
import { type KubeletVariant, kubeletVariants, type Variants, variantsOf } from './kubelet-variant.ts';
import { loadBehind, podsFact } from './load.ts';
import { where } from './where.ts';

/** Growth of the goroutines, as a share of the number that is many, in a day: they do not grow in a kubelet that is well. */
const goroutineGrowth = 0.2;
/** Attempts to remove a cgroup that failed, in the journal that was read: one now and then is a race, a loop is a fault. */
const loop = 10;

const growthFact = 'growth of the kubelet’s memory, MB per day';
const levelFact = 'memory of the kubelet, MB';
const goroutinesFact = 'goroutines of the kubelet';
const restartFact = 'restarting the kubelet helped';
const loopFact = 'cgroups that the kubelet failed to remove';

/** The kubelet’s own memory grows, and the number of pods does not explain it. The slope counts, not the level. */
export const kubeletLeak: Cause<'kubelet-leak'> = {
  id: 'kubelet-leak',
  title: 'The memory of the kubelet itself grows, with a number of pods that does not explain it.',
  seen: 'One strong sign (growth beyond kubeletMbPerDay that the number of pods does not explain, memory beyond kubeletMb, goroutines that breed, a heap profile that names a known leak) or two weak ones (growth without a count of pods, a rise in words, many goroutines, a restart that helped).',
  excludedBy: 'Its memory does not grow, or grows with the number of pods.',
  variants: kubeletVariants,

  judge(evidence, thresholds) {
    const { findings, atLeast, fact } = gather(thresholds);
    const growth = growthPerDay(evidence, 'kubeletRssKb');
    const rssKb = kubeletRssKb(evidence);
    const goroutines = probeValue(evidence.probes.kubeletMetrics)?.goroutines;
    const more = growthPerDay(evidence, 'goroutines');

    const byLoad = loadBehind(evidence, 'kubeletRssKb', growth);
    const grows = atLeast({
      fact: growthFact,
      value: growth && growth.perDay / 1024,
      threshold: 'kubeletMbPerDay',
      // Growth that the pods explain says nothing any more.
      weight: byLoad?.explains ? 0 : 0.4,
      source: growth?.source ?? '',
    });
    if (grows && byLoad !== undefined) findings.push(byLoad.finding);
    const load = grows ? byLoad?.explains : undefined;
    const large = atLeast({
      fact: levelFact,
      value: rssKb === undefined ? undefined : rssKb / 1024,
      threshold: 'kubeletMb',
      weight: 0.4,
      source: 'resident memory of its process',
    });
    const many = atLeast({
      fact: goroutinesFact,
      value: goroutines,
      threshold: 'goroutines',
      weight: 0.25,
      source: 'go_goroutines',
    });
    const breed =
      load || loadBehind(evidence, 'goroutines', more)?.explains
        ? undefined
        : atLeast({
            fact: 'growth of its goroutines, per day',
            value: more?.perDay,
            threshold: thresholds.goroutines * goroutineGrowth,
            weight: 0.4,
            source: `${more?.source ?? ''}; a fifth of settings thresholds.goroutines`,
          });
    const said = (series: 'kubeletRssKb' | 'goroutines', name: string): boolean | undefined => {
      const value = courseAsReported(evidence, series) ?? undefined;
      const rises = value === 'rises' ? ({ speaks: 'for', weight: 0.3 } as const) : undefined;
      const source = 'as reported, without a number';
      return fact({ fact: `course of ${name}`, value, speaks: 'against', source, ...rises });
    };
    const memorySaid = grows === undefined ? said('kubeletRssKb', 'its memory') : undefined;
    const goroutinesSaid = breed === undefined ? said('goroutines', 'its goroutines') : undefined;
    const tried = probeValue(evidence.probes.observations)?.tried.find(
      ({ what }) => what === 'restart-kubelet',
    );
    const helped = fact({
      fact: restartFact,
      value: tried?.helped,
      speaks: tried?.helped ? 'for' : 'against',
      source: 'tried by hand',
      ...(tried?.helped ? { weight: 0.5 } : {}),
    });

    const loops = probeValue(evidence.probes.kubelet)?.journal?.cgroupDeleteFailed ?? undefined;
    const variants = variantsOf(evidence, loops);
    if (variants.heap !== undefined) findings.push(variants.heap.finding);

    // One that is strong is enough, or two that are weak; how much they are worth together the weights say.
    const proven = (variants.heap?.finding.weight ?? 0) >= 0.5;
    // The kubelet and the runtime keep trying to remove what stays in it.
    const controller = probeValue(evidence.probes.observations)?.leakingController;
    const misc = fact({
      fact: 'controller whose cgroups pile up',
      value: controller === 'misc' ? controller : undefined,
      speaks: 'for',
      weight: 0.4,
      source: 'as observed by hand; kubernetes#117647',
    });
    const strong = [grows && load === false, large, breed, proven];
    const weak = [
      grows && load === undefined,
      many,
      memorySaid,
      goroutinesSaid,
      helped,
      misc,
      variants.heap && !proven,
    ];
    const points = strong.filter(Boolean).length * 2 + weak.filter(Boolean).length;
    if (points < 2) {
      if (grows && load === undefined)
        return { result: 'insufficient-evidence', needs: ['trend.pods'], findings };
      if (growth === undefined && memorySaid !== false) {
        return { result: 'insufficient-evidence', needs: ['trend.kubeletRssKb'], findings };
      }
      return { result: 'excluded', findings };
    }

    // What goes along with a leak and says which one it is; none of it is one by itself.
    const looping = atLeast({
      fact: loopFact,
      value: loops,
      threshold: loop,
      weight: 0.2,
      source: 'its journal, "Failed to delete cgroup paths"; kubernetes#112151, #123766',
    });
    atLeast({
      fact: 'pods of the runtime that it has lost sight of',
      value: probeValue(evidence.probes.kubeletMetrics)?.orphanedRuntimePods,
      threshold: 1,
      weight: 0.1,
      source: 'kubelet_orphaned_runtime_pods_total',
    });
    findings.push(...variants.known.map(({ finding }) => finding));
    const dead = (exitedContainers(evidence) ?? 0) >= thresholds.exitedContainers;
    return { result: 'matches', variant: variantOf(variants, { dead, looping: looping ?? false }), findings };
  },

  explain(findings, variant = 'other') {
    const value = (fact: string) => findings.find((finding) => finding.fact === fact)?.value;
    const growth = value(growthFact);
    const level = value(levelFact);
    const pods = value(podsFact);
    const goroutines = value(goroutinesFact);
    const heap = value('what holds most of its heap');
    return [
      'The kubelet itself leaks memory',
      level === undefined ? '' : `: it holds ${level} MB`,
      growth === undefined ? '.' : `${level === undefined ? ': it' : ' and'} grows by ${growth} MB a day.`,
      pods === undefined
        ? ' How many pods there were in that time was not seen, so part of it may be load.'
        : ` The number of pods changed by ${pods} % in the same time, which does not explain it.`,
      goroutines === undefined ? '' : ` It runs ${goroutines} goroutines.`,
      heap === undefined ? '' : ` Its heap is mostly ${heap}.`,
      value(restartFact) === true ? ' Restarting it has helped before.' : '',
      ` ${kubeletVariants[variant as KubeletVariant] ?? kubeletVariants.other}`,
      ' A restart gives the memory back and leaves the pods running; the leak begins anew with it. It frees no dying cgroup.',
    ].join('');
  },

  untreated:
    'The kubelet takes memory from the pods until the node evicts them, and in the end it is killed itself: then the node is NotReady until it has looked at every container again.',

  prevent: preventions,
};

/** A heap profile knows best; then what this node does, then what its versions and gates are known for. */
function variantOf(
  { heap, known }: Variants,
  { dead, looping }: { dead: boolean; looping: boolean },
): KubeletVariant {
  if (heap !== undefined) return heap.variant;
  const misc = known.find(({ variant }) => variant === 'cgroup-v1-misc');
  if (misc !== undefined && looping) return misc.variant;
  return known[0]?.variant ?? (dead ? 'container-gc' : 'other');
}

function preventions(evidence: Evidence, findings: Finding[]): Prevention[] {
  const found = (start: string) =>
    findings.find(({ fact, speaks }) => speaks === 'for' && fact.startsWith(start));
  const because = (finding: Finding): string => `${finding.fact}: ${finding.value}`;
  const version = kubeletVersion(evidence);
  const list: Prevention[] = [];
  const add = (finding: Finding | undefined, what: string, place: string): void => {
    if (finding !== undefined) list.push({ what, where: place, because: because(finding) });
  };
  add(
    found('feature gate PodCertificateRequest'),
    'featureGates.PodCertificateRequest: false, or Kubernetes 1.35',
    where.kubeletConfig,
  );
  add(found('feature gate EventedPLEG'), 'featureGates.EventedPLEG: false', where.kubeletConfig);
  if (isOlder(version, '1.36.3'))
    add(found('version of the kubelet'), 'an AMI with kubelet 1.36.3 or later', where.ami);
  const misc = findings.find(({ fact }) => fact.endsWith('on cgroup v1 with a misc controller'));
  add(
    misc,
    'an AMI with cgroup v2 (AL2023); on cgroup v1, one with runc 1.1.6 or later and a kubelet that has the same library',
    where.ami,
  );
  const { containers, kubelet } = evidence.probes;
  const runtimeDriver = probeValue(containers)?.cgroupDriver;
  const kubeletDriver = probeValue(kubelet)?.config?.flags?.cgroupDriver;
  if (runtimeDriver === 'cgroupfs' && kubeletDriver === 'systemd') {
    list.push({
      what: 'SystemdCgroup = true, as the kubelet has it (cgroupDriver: systemd)',
      where: where.containerdConfig,
      because: 'the runtime has the cgroup driver cgroupfs, the kubelet systemd',
    });
  }
  add(
    found(levelFact),
    'kubeReserved.memory large enough for it (0.5 to 1 GB more on dense nodes)',
    where.kubeletConfig,
  );
  const grows =
    found(growthFact) ?? found('growth of its goroutines') ?? found('what holds most of its heap');
  add(
    grows,
    'do not scale out now with the same AMI: every new node starts with the same kubelet, and its leak',
    where.scaling,
  );
  return list;
}
