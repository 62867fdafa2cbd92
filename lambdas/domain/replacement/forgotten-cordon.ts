import * as z from 'zod';
import { given } from '../around/read.ts';
import type { AuditEntry } from '../audit/entry.ts';

/** What the clock asks for: a look at one cluster. */
export const SweepRequest = z.object({ cluster: z.string().min(1) });
export type SweepRequest = z.infer<typeof SweepRequest>;

/** A node with our annotation, as the sweeper finds it. */
export const CordonedNode = z.object({
  node: z.string().min(1),
  /** `null` where no instance of EC2 is behind it. */
  instanceId: z.string().nullable(),
  /** What the annotation says: the incident, unless somebody else has written it. */
  incident: z.string(),
  /** Whether it takes no new pods; `false` where somebody has uncordoned it and our annotation stayed. */
  unschedulable: z.boolean(),
});
export type CordonedNode = z.infer<typeof CordonedNode>;

/** What is known of the incident in the annotation. Either can be a gap: then nothing is done. */
export type CordonHolder = {
  trail: readonly Pick<AuditEntry, 'step' | 'at' | 'cluster' | 'instanceId'>[] | { gap: string };
  lease: { holder: string; expiresAt: string } | undefined | { gap: string };
};

/**
 * Whether a cordon is still somebody's. held: its incident lives, or has ended so recently that its janitor may be at work.
 * forgotten: nobody comes back for it. unclear: it cannot be said, and a person has to look.
 */
export type CordonVerdict = { is: 'held' | 'forgotten' | 'unclear'; says: string };

/** Judges one cordon of ours. Only what a trail and a lease say for certain makes it a forgotten one. */
export function judgeCordon(
  { node, instanceId, incident }: CordonedNode,
  { trail, lease }: CordonHolder,
  { cluster, orphanMinutes, now }: { cluster: string; orphanMinutes: number; now: Date },
): CordonVerdict {
  const unclear = (says: string): CordonVerdict => ({ is: 'unclear', says });
  if ('gap' in trail) return unclear(`the trail of ${given(incident)} could not be read: ${trail.gap}`);
  const [first, last] = [trail[0], trail.at(-1)];
  if (first === undefined || last === undefined) {
    return unclear(
      `there is no incident ${given(incident)} here: another deployment, or a person, wrote that`,
    );
  }
  if (first.cluster !== cluster || first.instanceId !== instanceId) {
    return unclear(
      `incident ${given(incident)} is of ${first.instanceId} in ${first.cluster}, and not of ${node}`,
    );
  }
  const since = (from: string, what: string): CordonVerdict => {
    const minutes = Math.floor((now.getTime() - Date.parse(from)) / 60_000);
    // An instant that cannot be read is not long ago.
    if (!(minutes >= orphanMinutes)) return { is: 'held', says: `${what}, not yet ${orphanMinutes} min ago` };
    return { is: 'forgotten', says: `${what} ${minutes} min ago` };
  };
  const closed = trail.find(({ step }) => step === 'incident.closed');
  if (closed !== undefined) return since(closed.at, 'its incident closed');
  if (lease === undefined)
    return since(last.at, 'nobody has the lease of the node, and its incident wrote last');
  if ('gap' in lease) return unclear(`the lease of the node could not be read: ${lease.gap}`);
  if (lease.holder !== incident) {
    return since(
      last.at,
      `the lease of the node is that of ${given(lease.holder)}, and its incident wrote last`,
    );
  }
  if (Date.parse(lease.expiresAt) > now.getTime()) return { is: 'held', says: 'its incident is at work' };
  const latest = Date.parse(last.at) > Date.parse(lease.expiresAt) ? last.at : lease.expiresAt;
  return since(latest, 'its incident did not end, and its lease ran out');
}

/** What came of one cordon in a sweep. done: it was taken back. */
export type SweptCordon = CordonedNode & { verdict: CordonVerdict; done?: boolean; failed?: string };

/** Names of nodes in one message: the rest is a number. */
const mostNamed = 20;

/** One message for all that a sweep found, however much that is. */
export function sweepMessage(
  cluster: string,
  swept: readonly SweptCordon[],
): { title: string; text: string } {
  const lines = swept.slice(0, mostNamed).map((one) => `- ${lineOf(one)}`);
  if (swept.length > mostNamed) lines.push(`- and ${swept.length - mostNamed} more`);
  const left = swept.filter(({ done }) => !done);
  const nodes = swept.length === 1 ? 'a node' : `${swept.length} nodes`;
  return {
    title: `a cordon of cgroup-medic was forgotten on ${nodes} of ${cluster}`,
    text: [
      `${nodes} of ${cluster} ${swept.length === 1 ? 'has' : 'have'} a cordon of cgroup-medic of which no incident comes back:`,
      ...lines,
      ...(left.length === 0
        ? []
        : [
            '',
            'Look why, and whether the node is well; then take the cordon back:',
            ...left
              .slice(0, mostNamed)
              .map(
                ({ node }) =>
                  `  kubectl uncordon ${given(node)} && kubectl annotate node ${given(node)} cgroup-medic/cordoned-by-`,
              ),
          ]),
    ].join('\n'),
  };
}

function lineOf({ node, instanceId, incident, unschedulable, verdict, done, failed }: SweptCordon): string {
  const now = done
    ? 'it was uncordoned'
    : `${unschedulable ? 'it takes no new pods' : 'somebody has uncordoned it, and the annotation is left'}${failed === undefined ? '' : `; it could not be taken back: ${failed}`}`;
  return `${given(node)} (${instanceId ?? 'no instance'}), cordoned by ${given(incident)}: ${verdict.says}; ${now}`;
}
