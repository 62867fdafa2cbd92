import { escapeXml, type Service, ServiceError } from './wire.ts';

/** An Auto Scaling group. Its instances by their ids, each with its lifecycle state. */
export type LocalGroup = {
  name: string;
  desired: number;
  instances: Record<string, string>;
  suspended: string[];
};

/** Auto Scaling: the groups that there are now, in the query protocol's XML. */
export function autoscalingService(groups: () => readonly LocalGroup[]): Service {
  const answers: Record<string, (form: URLSearchParams) => string> = {
    DescribeAutoScalingGroups(form) {
      const wanted = form.get('AutoScalingGroupNames.member.1');
      const found = groups().filter(({ name }) => wanted === null || name === wanted);
      return `<AutoScalingGroups>${found.map(groupXml).join('')}</AutoScalingGroups>`;
    },
    TerminateInstanceInAutoScalingGroup(form) {
      const id = form.get('InstanceId') ?? '';
      const group = groups().find(({ instances }) => id in instances);
      if (group === undefined) {
        throw new ServiceError(
          'ValidationError',
          `Instance Id not found - No managed instance found for instance ID: ${id}`,
        );
      }
      if (group.instances[id]?.startsWith('Terminat')) {
        throw new ServiceError('ScalingActivityInProgress', `Instance ${id} is already terminating`);
      }
      const decrement = form.get('ShouldDecrementDesiredCapacity');
      if (decrement !== 'true' && decrement !== 'false') {
        throw new ServiceError('ValidationError', 'ShouldDecrementDesiredCapacity is required');
      }
      if (decrement === 'true') group.desired -= 1;
      group.instances[id] = 'Terminating';
      return `<Activity><ActivityId>activity-of-${escapeXml(id)}</ActivityId><AutoScalingGroupName>${escapeXml(group.name)}</AutoScalingGroupName><Cause>a user request</Cause><Progress>0</Progress><StartTime>${new Date().toISOString()}</StartTime><StatusCode>InProgress</StatusCode></Activity>`;
    },
  };
  return {
    name: 'autoscaling',
    file: 'local/cloud/autoscaling.ts',
    calls: Object.keys(answers),
    async answer({ call, body }, response) {
      const content = answers[call]?.(new URLSearchParams(body.toString('utf8'))) ?? '';
      const xml = `<${call}Response xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><${call}Result>${content}</${call}Result><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></${call}Response>`;
      response.writeHead(200, { 'content-type': 'text/xml' }).end(xml);
    },
  };
}

function groupXml({ name, desired, instances, suspended }: LocalGroup): string {
  const members = Object.entries(instances)
    .map(
      ([id, state]) =>
        `<member><InstanceId>${escapeXml(id)}</InstanceId><LifecycleState>${escapeXml(state)}</LifecycleState><HealthStatus>Healthy</HealthStatus></member>`,
    )
    .join('');
  const processes = suspended
    .map(
      (process) =>
        `<member><ProcessName>${escapeXml(process)}</ProcessName><SuspensionReason>User suspended</SuspensionReason></member>`,
    )
    .join('');
  return `<member><AutoScalingGroupName>${escapeXml(name)}</AutoScalingGroupName><DesiredCapacity>${desired}</DesiredCapacity><Instances>${members}</Instances><SuspendedProcesses>${processes}</SuspendedProcesses></member>`;
}
