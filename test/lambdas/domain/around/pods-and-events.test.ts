import { describe, expect, it } from 'vitest';
import { nodeEventsOf } from '../../../../lambdas/domain/around/events.ts';
import { PodCertificateRequest } from '../../../../lambdas/domain/around/kubernetes.ts';
import { type PodParts, podStatusOf } from '../../../../lambdas/domain/around/pod-status.ts';
import { NodeEvents, PodStatus } from '../../../../lambdas/domain/evidence/node-status.ts';
import { anEvent, aPod, nodeName, now } from './objects.ts';

function podStatus(parts: Partial<PodParts>) {
  const status = podStatusOf(
    {
      pods: [],
      warnings: { value: [] },
      killings: { value: [] },
      certificateRequests: { value: [] },
      ...parts,
    },
    nodeName,
    now,
  );
  expect(PodStatus.parse(status)).toEqual(status);
  return status;
}

describe('what has happened to pods', () => {
  it('lists OOM kills with their limit, most restarts first, whether the container runs again or not', () => {
    const status = podStatus({
      pods: [
        aPod({
          name: 'once',
          containers: [{ name: 'main', resources: { limits: { memory: '256Mi' } } }],
          statuses: [{ name: 'main', restarts: 1, lastEnded: { reason: 'OOMKilled', ago: 7200 } }],
        }),
        aPod({
          name: 'again',
          statuses: [{ name: 'main', restarts: 9, ended: { reason: 'OOMKilled', ago: 30 } }],
        }),
        aPod({
          name: 'otherwise',
          statuses: [{ name: 'main', restarts: 2, lastEnded: { reason: 'Error', ago: 30 } }],
        }),
      ],
    });

    expect(status.oomKilled).toEqual([
      expect.objectContaining({ pod: 'shop/again', restarts: 9, limitKb: null, secondsAgo: 30 }),
      {
        pod: 'shop/once',
        container: 'main',
        owner: { kind: 'ReplicaSet', name: 'web-5f7d9c4b6d' },
        restarts: 1,
        limitKb: 262_144,
        secondsAgo: 7200,
      },
    ]);
  });

  it('lists the pods of DaemonSets whatever they do, and others only where they restart again and again', () => {
    const status = podStatus({
      pods: [
        aPod({ name: 'agent', owner: { kind: 'DaemonSet', name: 'agent' }, statuses: [{ name: 'main' }] }),
        aPod({ name: 'calm', statuses: [{ name: 'main', restarts: 4 }] }),
        aPod({ name: 'loop', statuses: [{ name: 'main', restarts: 5, waiting: 'CrashLoopBackOff' }] }),
      ],
    });

    expect(status.agents.map(({ pod, daemonSet, waiting }) => [pod, daemonSet, waiting])).toEqual([
      ['shop/loop', false, 'CrashLoopBackOff'],
      ['shop/agent', true, null],
    ]);
  });

  it('counts starts and ends of the last hour: of pods that are there, and of those that only left an event', () => {
    const status = podStatus({
      pods: [
        aPod({ name: 'new', startedAgo: 600 }),
        aPod({ name: 'old' }),
        aPod({
          name: 'done',
          phase: 'Succeeded',
          startedAgo: 7200,
          statuses: [{ name: 'main', ended: { reason: 'Completed', ago: 100 } }],
        }),
        aPod({
          name: 'done-long-ago',
          phase: 'Succeeded',
          statuses: [{ name: 'main', ended: { reason: 'Completed', ago: 4000 } }],
        }),
      ],
      killings: {
        value: [
          anEvent({ reason: 'Killing', uid: 'gone', host: nodeName }),
          anEvent({ reason: 'Killing', uid: 'gone', host: nodeName }),
          anEvent({ reason: 'Killing', uid: 'elsewhere', host: 'another-node' }),
          anEvent({ reason: 'Killing', uid: 'gone-before', host: nodeName, ago: 3700 }),
          // A container that was restarted for its probe; its pod stays.
          anEvent({ reason: 'Killing', uid: 'old', host: nodeName }),
        ],
      },
    });

    expect(status).toMatchObject({ started: 1, ended: 2 });
  });

  it('counts a pod once as evicted, by what is left of it and by the event', () => {
    const status = podStatus({
      pods: [
        aPod({ name: 'evicted', phase: 'Failed', reason: 'Evicted', startedAgo: 900 }),
        aPod({ name: 'long-ago', phase: 'Failed', reason: 'Evicted', startedAgo: 90_000 }),
      ],
      warnings: {
        value: [
          anEvent({ reason: 'Evicted', uid: 'evicted', host: nodeName }),
          anEvent({ reason: 'Evicted', uid: 'gone', host: nodeName }),
          anEvent({ reason: 'BackOff', uid: 'gone-too', host: nodeName }),
        ],
      },
    });

    expect(status.evicted).toBe(2);
  });

  it('counts the certificate requests of this node that nobody has answered', () => {
    const request = (node: string, type?: string) =>
      PodCertificateRequest.parse({
        metadata: { name: 'r', namespace: 'shop' },
        spec: { nodeName: node, signerName: 'example.com/x' },
        status: { conditions: type === undefined ? [] : [{ type, status: 'True' }] },
      });
    const { certificateRequestsPending } = podStatus({
      certificateRequests: {
        value: [
          request(nodeName),
          request(nodeName),
          request(nodeName, 'Issued'),
          request(nodeName, 'Denied'),
          request('another-node'),
        ],
      },
    });

    expect(certificateRequestsPending).toBe(2);
  });

  it('leaves open what was refused, and says what is left out', () => {
    const agents = Array.from({ length: 45 }, (_, index) =>
      aPod({
        name: `agent-${index}`,
        owner: { kind: 'DaemonSet', name: 'agent' },
        statuses: [{ name: 'main' }],
      }),
    );
    const gap = { gap: 'no right' };
    const status = podStatus({
      pods: agents,
      partial: 'only the first 45',
      warnings: gap,
      killings: gap,
      certificateRequests: gap,
    });

    expect(status).toMatchObject({ ended: null, certificateRequestsPending: null });
    expect(status.agents).toHaveLength(40);
    expect(status.notRead).toEqual({
      pods: 'only the first 45',
      ended: 'no right',
      evicted: 'no right',
      certificateRequestsPending: 'no right',
      agents: '5 of 45 are left out',
    });
  });
});

describe('events', () => {
  const events = (ofNode: Parameters<typeof anEvent>[0][], ofPods: Parameters<typeof anEvent>[0][] = []) => {
    const value = nodeEventsOf(
      {
        ofNode: ofNode.map((event) => anEvent({ kind: 'Node', ...event })),
        ofPods: { value: ofPods.map(anEvent) },
        pods: [aPod({ name: 'here' })],
      },
      nodeName,
      now,
    );
    expect(NodeEvents.parse(value)).toEqual(value);
    return value;
  };

  it('are counted by reason, most first, with the latest message', () => {
    const { reasons } = events([
      { reason: 'NodeNotReady', ago: 400 },
      { reason: 'SystemOOM', count: 3, ago: 900, message: 'older' },
      { reason: 'SystemOOM', count: 2, ago: 300, message: 'victim process: \u001b[31mkubelet' },
    ]);

    expect(reasons).toEqual([
      { reason: 'SystemOOM', count: 5, lastSecondsAgo: 300, sample: 'victim process: ·[31mkubelet' },
      { reason: 'NodeNotReady', count: 1, lastSecondsAgo: 400, sample: 'a message' },
    ]);
  });

  it('of the newer kind count their series', () => {
    const { reasons } = events([{ reason: 'X', series: { count: 12, ago: 20 } }]);
    expect(reasons).toMatchObject([{ reason: 'X', count: 12, lastSecondsAgo: 20 }]);
  });

  it('count for this node by who reports them or whose pod it is, and for an hour', () => {
    const { reasons } = events(
      [
        { reason: 'Other', name: 'another-node' },
        { reason: 'Timeless', ago: null },
        { reason: 'Old', ago: 3700 },
      ],
      [
        { reason: 'ByHost', host: nodeName },
        { reason: 'ByPod', name: 'here', uid: 'here' },
        { reason: 'Elsewhere', host: 'another-node' },
        { reason: 'Unknown' },
      ],
    );
    expect(reasons.map(({ reason }) => reason)).toEqual(['ByHost', 'ByPod', 'Timeless']);
  });

  it('of sandboxes that could not be made say for want of what', () => {
    const reason = 'FailedCreatePodSandBox';
    const host = nodeName;
    const value = events(
      [],
      [
        {
          reason,
          host,
          count: 4,
          message: 'mkdir /sys/fs/cgroup/memory/kubepods/x: no space left on device',
        },
        { reason, host, count: 2, message: 'mkdir /sys/fs/cgroup/memory/kubepods/y: cannot allocate memory' },
        { reason, host, message: 'failed to set up network' },
        { reason: 'FailedMount', host, message: 'no space left on device' },
      ],
    );
    expect(value).toMatchObject({ sandboxNoSpace: 4, sandboxNoMemory: 2 });
  });

  it('say what was not read, and what is left out', () => {
    const many = Array.from({ length: 33 }, (_, index) => anEvent({ kind: 'Node', reason: `R${index}` }));
    const value = nodeEventsOf(
      { ofNode: many, partial: 'only the first 33', ofPods: { gap: 'no right' }, pods: [] },
      nodeName,
      now,
    );

    expect(value.reasons).toHaveLength(30);
    expect(value.notRead).toEqual({
      ofNode: 'only the first 33',
      ofPods: 'no right',
      reasons: '3 of 33 reasons are left out',
    });
  });
});
