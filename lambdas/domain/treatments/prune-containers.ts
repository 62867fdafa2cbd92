import { exitedLimit } from '../causes/dead-containers.ts';
import { probeValue } from '../evidence/probe.ts';
import { noEvidence, type Treatment } from './treatment.ts';

/** How many one run may remove, as the document takes them. */
const sizes = [10, 50, 100, 200, 500];

/** Removes exited containers through the runtime, oldest first; the newest of each, and all that ended recently, stay. */
export const pruneContainers: Treatment = {
  id: 'prune-containers',
  kind: 'document',
  document: 'prune-containers',
  risk: 'medium',
  disrupts: false,
  treats: ['dead-containers'],

  propose(evidence, { thresholds }) {
    // Where the runtime did not list them to us, it lists them to the document no better.
    if (evidence === undefined) return noEvidence;
    const containers = probeValue(evidence.probes.containers);
    if (containers?.exited == null) return { nothing: 'the runtime did not list the exited containers' };
    const { exited, running } = containers;
    const limit = exitedLimit(running, thresholds);
    if (exited < limit) return { nothing: `${exited} exited containers are fewer than ${limit}` };
    const excess = exited - limit + 1;
    const most = sizes.find((size) => size >= excess) ?? 500;
    return {
      arguments: { minAgeSeconds: '3600', maxRemove: String(most) },
      reason: `${exited} exited containers are on the node; up to ${most} of those that ended more than an hour ago are removed, oldest first, and with each its log. The newest of each stays, so the last one of a finished Job does; dead sandboxes stay as well, and fewer may be left to remove than there are too many`,
      expects: {
        text: `fewer than ${limit} exited containers, and no new growth`,
        signal: 'exitedContainers',
        atMost: limit - 1,
      },
    };
  },
};
