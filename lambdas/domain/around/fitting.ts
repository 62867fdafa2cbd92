import { AroundProbes } from '../evidence/around-probes.ts';
import { firstProblem } from '../evidence/first-problem.ts';
import { failed } from './read.ts';

/**
 * The probes, with a gap in the place of one that does not fit its schema. What a node, its kubelet or a pod says of itself may be
 * any figure; in the state of an incident it would end the incident.
 */
export function fitting<Probes extends Partial<AroundProbes>>(probes: Probes): Probes {
  const schemas: Record<string, (typeof AroundProbes.shape)[keyof AroundProbes]> = AroundProbes.shape;
  const checked = Object.entries(probes).map(([name, probe]) => {
    const error = schemas[name]?.safeParse(probe).error;
    return [
      name,
      error === undefined ? probe : failed(`what was read does not fit: ${firstProblem(error, probe)}`),
    ];
  });
  return Object.fromEntries(checked);
}
