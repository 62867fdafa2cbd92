import { given } from '../around/read.ts';
import type { Changed } from './changed.ts';

/** An Auto Scaling group, as far as it matters whether it makes a new instance where one is ended. */
export type Group = {
  suspendedProcesses: readonly string[];
  /** Lifecycle states of its instances, by their ids. */
  instances: Readonly<Record<string, string>>;
};

/** Without them a group ends instances and makes none, or ends none: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html */
const needed = ['Launch', 'Terminate'];

/** Why a group is not to be asked to end one of its instances; `undefined` where it may be. */
export function whyNotTerminate(
  group: Group | undefined,
  { name, instanceId }: { name: string; instanceId: string },
): Changed | undefined {
  const refused = (says: string): Changed => ({ is: 'refused', says });
  if (group === undefined) return refused(`there is no Auto Scaling group ${given(name)}`);
  const state = group.instances[instanceId];
  if (state === undefined) return refused(`${instanceId} is not in the group ${given(name)}`);
  if (state.startsWith('Terminat')) return { is: 'already', says: `the group is ending it: ${given(state)}` };
  if (state !== 'InService') {
    return refused(`it is ${given(state)} in its group, which makes no new one for such an instance`);
  }
  const suspended = needed.filter((process) => group.suspendedProcesses.includes(process));
  return suspended.length === 0
    ? undefined
    : refused(`the group ${given(name)} has suspended ${suspended.join(' and ')}: no new node would come`);
}
