import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AutoScalingError } from '../../../lambdas/adapters/autoscaling-query.ts';
import { membersOf, sizeOf, terminateInGroup } from '../../../lambdas/adapters/scaling-group.ts';
import { autoscalingService, type LocalGroup } from '../../../local/cloud/autoscaling.ts';
import { answerError, readRequest, ServiceError, type WireRequest } from '../../../local/cloud/wire.ts';
import { endStandIn, standInFor } from './at-the-wire.ts';

const instanceId = 'i-0123456789abcdef0';
let groups: LocalGroup[];
let asked: WireRequest[];
/** Comes before the service, call by call: what it throws is the answer; `null` breaks the connection. */
let before: (call: string) => undefined | null;

const server = createServer(async (message, response) => {
  const request = await readRequest(message);
  asked.push(request);
  try {
    if (before(request.call) === null) {
      response.destroy();
      return;
    }
    await autoscalingService(() => groups).answer(request, response);
  } catch (error) {
    answerError(request, response, error as ServiceError);
  }
});

beforeEach(async () => {
  groups = [
    {
      name: 'eks-web',
      desired: 2,
      instances: { [instanceId]: 'InService', 'i-0fedcba9876543210': 'InService' },
      suspended: [],
    },
  ];
  asked = [];
  before = () => undefined;
  await standInFor('AUTO_SCALING', server);
});
afterEach(() => endStandIn(server));

const calls = () => asked.map(({ call }) => call);
const states = () => groups.flatMap(({ instances }) => Object.values(instances));

describe('an instance of an Auto Scaling group', () => {
  it('is not replaced by one that came for another: while the group is short, nobody has come', async () => {
    const newcomer = 'i-00000000000000001';
    groups = groups.map((group) => ({ ...group, desired: 3 }));
    const [group] = groups;
    if (group === undefined) throw new Error('there is no group');
    // Two have gone, and one has come.
    group.instances = {
      'i-0fedcba9876543210': 'InService',
      [newcomer]: 'InService',
      [instanceId]: 'Terminating',
    };
    expect(await membersOf('eks-web')).toEqual([]);
    group.instances['i-00000000000000002'] = 'InService';
    expect(await membersOf('eks-web')).toContain(newcomer);
  });

  it('is ended by its group, which keeps its size', async () => {
    expect(await terminateInGroup('eks-web', instanceId)).toEqual({
      is: 'done',
      says: `the group ends it: activity activity-of-${instanceId}, InProgress`,
    });
    expect(groups).toMatchObject([
      { desired: 2, instances: { [instanceId]: 'Terminating', 'i-0fedcba9876543210': 'InService' } },
    ]);
    expect(asked.map(({ signedFor }) => signedFor)).toEqual(['autoscaling', 'autoscaling']);
    expect(Object.fromEntries(new URLSearchParams(asked[1]?.body.toString()))).toEqual({
      Action: 'TerminateInstanceInAutoScalingGroup',
      Version: '2011-01-01',
      InstanceId: instanceId,
      ShouldDecrementDesiredCapacity: 'false',
    });
  });

  it('is not ended twice', async () => {
    await terminateInGroup('eks-web', instanceId);
    expect(await terminateInGroup('eks-web', instanceId)).toMatchObject({ is: 'already' });
    expect(calls().filter((call) => call.startsWith('Terminate'))).toHaveLength(1);
  });

  it.each([
    ['is in no such group', () => void groups.splice(0), 'there is no Auto Scaling group eks-web'],
    [
      'is not in the group',
      () => void delete groups[0]?.instances[instanceId],
      `${instanceId} is not in the group eks-web`,
    ],
    [
      'is in another group',
      () => void Object.assign(groups[0] ?? {}, { name: 'eks-web-2' }),
      'there is no Auto Scaling group eks-web',
    ],
    [
      'stands by',
      () => void Object.assign(groups[0]?.instances ?? {}, { [instanceId]: 'Standby' }),
      'it is Standby in its group',
    ],
    ['is in a group that makes none', () => void groups[0]?.suspended.push('Launch'), 'has suspended Launch'],
    [
      'is in a group that ends none',
      () => void groups[0]?.suspended.push('AZRebalance', 'Terminate', 'Launch'),
      'has suspended Launch and Terminate',
    ],
  ])('that %s is left alone', async (_, make, says) => {
    make();
    expect(await terminateInGroup('eks-web', instanceId)).toEqual({
      is: 'refused',
      says: expect.stringContaining(says),
    });
    expect(calls()).toEqual(['DescribeAutoScalingGroups']);
  });

  it('is known before its pods are asked to go as one that would not be ended', async () => {
    expect(await sizeOf('eks-web', instanceId)).toEqual({ name: 'eks-web', desired: 2, inService: 2 });
    groups[0]?.suspended.push('Launch');
    expect(await sizeOf('eks-web', instanceId)).toMatchObject({
      whyNot: expect.stringContaining('has suspended Launch'),
    });
    expect(await sizeOf('eks-other', instanceId)).toBeUndefined();
  });

  it('is ended also where a process that is not needed is suspended', async () => {
    groups[0]?.suspended.push('AZRebalance');
    expect(await terminateInGroup('eks-web', instanceId)).toMatchObject({ is: 'done' });
  });
});

describe('Auto Scaling', () => {
  it.each(['ScalingActivityInProgress', 'ResourceContention', 'AccessDenied', 'ValidationError'])(
    'that refuses with %s is an error of that code, and is asked once',
    async (code) => {
      before = (call) => {
        if (call.startsWith('Terminate')) throw new ServiceError(code, 'no');
        return undefined;
      };
      const error = await terminateInGroup('eks-web', instanceId).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(AutoScalingError);
      expect(error).toMatchObject({
        code,
        message: `autoscaling:TerminateInstanceInAutoScalingGroup was refused with ${code}: no`,
      });
      expect(calls().filter((call) => call.startsWith('Terminate'))).toHaveLength(1);
      expect(states()).toEqual(['InService', 'InService']);
    },
  );

  it('that is busy is asked again', async () => {
    let throttles = 2;
    before = () => {
      if (throttles-- > 0) throw new ServiceError('Throttling', 'Rate exceeded');
      return undefined;
    };
    expect(await terminateInGroup('eks-web', instanceId)).toMatchObject({ is: 'done' });
  });

  it('that gives no answer is not asked again: nobody knows what it did', async () => {
    before = (call) => (call.startsWith('Terminate') ? null : undefined);
    await expect(terminateInGroup('eks-web', instanceId)).rejects.toMatchObject({ code: 'NoAnswer' });
    expect(calls().filter((call) => call.startsWith('Terminate'))).toHaveLength(1);
  });

  it.each([
    ['no XML', 'hello', 'UnreadableAnswer'],
    [
      'no list',
      '<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult/></DescribeAutoScalingGroupsResponse>',
      'cannot be read',
    ],
  ])('that answers with %s is an error, and no empty list', async (_, text, message) => {
    vi.stubGlobal('fetch', async () => new Response(text));
    await expect(terminateInGroup('eks-web', instanceId)).rejects.toThrow(message);
  });

  it.each([
    ['eu-central-1', 'https://autoscaling.eu-central-1.amazonaws.com/'],
    ['cn-north-1', 'https://autoscaling.cn-north-1.amazonaws.com.cn/'],
  ])('is asked in %s at the service there', async (region, expected) => {
    const urls: string[] = [];
    vi.stubEnv('AWS_REGION', region);
    vi.stubEnv('AWS_ENDPOINT_URL_AUTO_SCALING', undefined);
    vi.stubGlobal('fetch', async (url: URL) => {
      urls.push(url.href);
      return new Response('');
    });
    await expect(terminateInGroup('eks-web', instanceId)).rejects.toThrow();
    expect(urls).toEqual([expected]);
  });
});
