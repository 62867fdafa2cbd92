import * as z from 'zod';
import type { Changed } from '../domain/replacement/changed.ts';
import { type Group, whyNotTerminate } from '../domain/replacement/group.ts';
import type { GroupSize } from '../domain/replacement/others-at-work.ts';
import { autoscalingQuery } from './autoscaling-query.ts';
import { items } from './ec2-query.ts';
import { MedicError } from './medic-error.ts';

const Groups = z.object({
  DescribeAutoScalingGroupsResult: z.object({
    AutoScalingGroups: items(
      z.object({
        AutoScalingGroupName: z.string(),
        DesiredCapacity: z.coerce.number().int().nonnegative(),
        Instances: items(z.object({ InstanceId: z.string(), LifecycleState: z.string() }), 'member'),
        SuspendedProcesses: items(z.object({ ProcessName: z.string() }), 'member'),
      }),
      'member',
    ),
  }),
});

const Terminated = z.object({
  TerminateInstanceInAutoScalingGroupResult: z.object({
    Activity: z.object({ ActivityId: z.string(), StatusCode: z.string() }),
  }),
});

/**
 * Has a group end one of its instances and make a new one: the group keeps its size. It looks first, so that asking again does nothing twice.
 *
 * @throws AutoScalingError where the service refuses or does not answer: look again before anything else
 */
export async function terminateInGroup(name: string, instanceId: string): Promise<Changed> {
  const whyNot = whyNotTerminate(await groupNamed(name), { name, instanceId });
  if (whyNot !== undefined) return whyNot;
  const answer = Terminated.safeParse(
    await autoscalingQuery('TerminateInstanceInAutoScalingGroup', {
      InstanceId: instanceId,
      // Never a node less: that is for whoever sizes the group.
      ShouldDecrementDesiredCapacity: 'false',
    }),
  );
  if (!answer.success) {
    throw new MedicError('the answer to autoscaling:TerminateInstanceInAutoScalingGroup cannot be read');
  }
  const { ActivityId, StatusCode } = answer.data.TerminateInstanceInAutoScalingGroupResult.Activity;
  return { is: 'done', says: `the group ends it: activity ${ActivityId}, ${StatusCode}` };
}

/**
 * How many instances a group is to have, and has in service, and why it would not be asked to end this one; `undefined` where there
 * is no such group. Throws as `terminateInGroup`.
 */
export async function sizeOf(name: string, instanceId: string): Promise<GroupSize | undefined> {
  const group = await groupNamed(name);
  if (group === undefined) return undefined;
  const inService = inServiceOf(group);
  const whyNot = whyNotTerminate(group, { name, instanceId })?.says;
  return { name, desired: group.desired, inService, ...(whyNot === undefined ? {} : { whyNot }) };
}

/**
 * The instances that a group has now, once it has as many in service as it is to have: until then a new one may have come for another
 * that has gone, and for this one nobody. Throws as `terminateInGroup`.
 */
export async function membersOf(name: string): Promise<string[]> {
  const group = await groupNamed(name);
  if (group === undefined || inServiceOf(group) < group.desired) return [];
  return Object.keys(group.instances);
}

function inServiceOf({ instances }: Group): number {
  return Object.values(instances).filter((state) => state === 'InService').length;
}

async function groupNamed(name: string): Promise<(Group & { desired: number }) | undefined> {
  const answer = Groups.safeParse(
    await autoscalingQuery('DescribeAutoScalingGroups', { 'AutoScalingGroupNames.member.1': name }),
  );
  if (!answer.success) {
    throw new MedicError(
      `the answer to autoscaling:DescribeAutoScalingGroups cannot be read: ${z.prettifyError(answer.error)}`,
    );
  }
  const { AutoScalingGroups } = answer.data.DescribeAutoScalingGroupsResult;
  const found = AutoScalingGroups.find(({ AutoScalingGroupName }) => AutoScalingGroupName === name);
  if (found === undefined) return undefined;
  return {
    desired: found.DesiredCapacity,
    suspendedProcesses: found.SuspendedProcesses.map(({ ProcessName }) => ProcessName),
    instances: Object.fromEntries(
      found.Instances.map(({ InstanceId, LifecycleState }) => [InstanceId, LifecycleState]),
    ),
  };
}
