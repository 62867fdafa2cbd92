import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import { weekdays } from '../../lambdas/domain/gates/wall-clock.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import { ServiceError } from '../../local/cloud/wire.ts';
import type { LocalNode } from '../../local/local-node.ts';
import { runCommand } from './run-command.ts';
import {
  apart,
  clusters,
  startTestEngine,
  stateTable,
  type TestEngine,
  type TestIncident,
  testSettings,
} from './test-engine.ts';

// Whole incidents, with other test files on the same cores.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

/** Clusters of this file alone: pauses are those of a cluster. */
const own = {
  waits: 'waits',
  stopped: 'stopped',
  odd: 'odd',
  windowed: 'windowed',
  late: 'late',
  asked: 'gates-asked',
};
const key = 'cgroup-medic/veto';
const ana = 'arn:aws:iam::000000000000:user/ana';

let test: TestEngine;
beforeAll(async () => {
  const settings = testSettings();
  const { [clusters.auto]: auto, [clusters.approve]: approve } = settings.clusters;
  // However slow this machine is.
  const patient = { ...approve, approval: { onePersonTeam: true, expirySeconds: { low: 240 } } };
  // A day that is neither today nor near it.
  const days = [weekdays[(new Date().getUTCDay() + 3) % 7]];
  const open = [{ days, start: '12:00', end: '13:00', timeZone: 'UTC' }];
  test = await startTestEngine(
    Settings.parse({
      ...settings,
      clusters: {
        ...settings.clusters,
        [own.waits]: auto,
        [own.stopped]: auto,
        [own.odd]: auto,
        [own.windowed]: { ...auto, gates: { windows: { open, fromRisk: 'low' }, cohort: apart } },
        [own.late]: patient,
        [own.asked]: patient,
        [clusters.unknown]: { ...auto, api: { access: 'public' } },
      },
    }),
  );
});
afterAll(() => test?.close());

async function pause(...args: string[]): Promise<void> {
  const done = await runCommand('pause.ts', args, test.engine.cloud, { AWS_ACCESS_KEY_ID: 'ANA' });
  expect(done).toMatchObject({ code: 0, stderr: '' });
}

function run(props: Parameters<TestEngine['run']>[0]): Promise<TestIncident> {
  return test.run(props, (incident) => {
    expect(verifyTrail(steps(incident), incident.publicKey)).toMatchObject({ ok: true });
    expect(test.engine.cloud.unanswered).toEqual([]);
    return incident;
  });
}

const steps = ({ auditLines }: TestIncident) => auditLines.map((line) => JSON.parse(line));
const states = ({ execution }: TestIncident) =>
  execution.history.filter(({ type }) => type === 'StateEntered').map(({ state }) => state);
const treated = (incident: TestIncident) => steps(incident).some(({ step }) => step === 'treatment.intended');
const lastTold = ({ messages }: TestIncident) => messages.at(-1);

describe.concurrent('a pause', () => {
  it('that ends soon is waited for; then the node is looked at again, and treated', async () => {
    const until = new Date(Date.now() + 120_000).toISOString();
    await pause(own.waits, '--reason', 'a short look', '--until', until);
    const incident = await run({ node: 'v2-zombies', cluster: own.waits });

    expect(incident.record.outcome).toBe('cured');
    const trail = steps(incident);
    const gated = trail.filter(({ step }) => step === 'gated');
    expect(gated.map(({ outcome }) => outcome)).toEqual(['wait', 'pass', 'pass']);
    expect(gated[0]).toMatchObject({ actor: { id: 'gate:pause' }, details: { waiting: { rounds: 1 } } });
    expect(gated[0].what).toContain(`ana, by ${ana} until ${until}: a short look`);
    expect(gated[1].what).toContain('looked at again');
    const began = trail.find(({ step }) => step === 'treatment.intended');
    expect(Date.parse(began.at)).toBeGreaterThanOrEqual(Date.parse(until));
    const walked = states(incident);
    expect(walked.slice(walked.indexOf('WaitAtGate'))).toEqual(
      expect.arrayContaining(['WaitAtGate', 'Gate', 'SendExamine', 'Diagnose', 'Plan', 'SendTreatment']),
    );
    expect(walked.filter((state) => state === 'SendExamine')).toHaveLength(2);
  });

  it('that lasts refuses: the incident is examined and diagnosed, and closes with who paused, why and until when', async () => {
    await pause(own.stopped, '--reason', 'the release of the year', '--until', '2h', '--name', 'release');
    const incident = await run({ node: 'v2-zombies', cluster: own.stopped });

    expect(incident.record).toMatchObject({
      outcome: 'refused',
      diagnosis: { cause: 'dying-memcgs' },
      rungs: [{ treatment: 'reclaim', status: 'not-started', gate: { gate: 'pause', decision: 'refuse' } }],
    });
    expect(lastTold(incident)).toMatchObject({ kind: 'incident-closed' });
    expect(lastTold(incident)?.text).toMatch(
      new RegExp(`^this cluster is paused: release, by ${ana} until \\S+Z: the release of the year\n`),
    );
    expect(treated(incident)).toBe(false);

    await pause(own.stopped, '--end', 'release');
    expect((await run({ node: 'v2-zombies', cluster: own.stopped })).record.outcome).toBe('cured');
  });

  it('that begins while people are asked stops what they approve', async () => {
    const incident = await run({
      node: 'v2-zombies',
      cluster: own.late,
      async approve() {
        await pause(own.late, '--reason', 'wait', '--until', '5m');
        return { decision: 'approve', reason: 'go' };
      },
    });

    expect(incident.record.outcome).toBe('refused');
    expect(incident.record.reason).toContain('pause: this cluster is paused: ana, by');
    expect(treated(incident)).toBe(false);
  });

  it('that cannot be read refuses', async () => {
    const Item = marshall({ pk: `PAUSE#${own.odd}`, sk: 'odd', pause: '{}' });
    await test.engine.cloud.dynamo.send(new PutItemCommand({ TableName: stateTable(test.engine), Item }));
    const incident = await run({ node: 'v2-zombies', cluster: own.odd });

    expect(incident.record.outcome).toBe('refused');
    expect(incident.record.reason).toContain('a pause of this cluster cannot be read, so it may hold: odd');
  });
});

describe.concurrent('a veto', () => {
  it('on the instance refuses, with its value for the reason', async () => {
    const change = (node: LocalNode) => ({
      ...node,
      managed: { ...node.managed, tags: { ...node.managed.tags, [key]: 'kept for the vendor' } },
    });
    const incident = await run({ node: 'v2-zombies', change });

    expect(incident.record.outcome).toBe('refused');
    expect(lastTold(incident)?.text).toContain(`the instance has a veto, ${key}: kept for the vendor.`);
    expect(treated(incident)).toBe(false);
  });

  it('that comes while people are asked stops what they approve', async () => {
    let instance = '';
    const incident = await run({
      node: 'v2-zombies',
      cluster: own.asked,
      before: async (instanceId) => {
        instance = instanceId;
      },
      async approve() {
        const { ssm } = test.engine.cloud;
        const node = ssm.nodes.find(({ instanceId }) => instanceId === instance);
        if (node === undefined) throw new Error('the node is not there');
        ssm.attach({ ...node, tags: { ...node.tags, [key]: '' } });
        return { decision: 'approve', reason: 'go' };
      },
    });

    expect(incident.record.outcome).toBe('refused');
    expect(incident.record.reason).toBe(
      `veto: the instance has a veto, ${key}: no reason given. It holds until that is taken away`,
    );
    expect(treated(incident)).toBe(false);
  });

  it('on the node refuses, where the API server is asked; without one it is treated', async () => {
    const change = (node: LocalNode): LocalNode => {
      const around = structuredClone(node.managed.around);
      const metadata = around?.cluster?.node.metadata as { labels?: Record<string, string> } | undefined;
      if (around === undefined || metadata === undefined) throw new Error('no node was recorded');
      metadata.labels = { ...metadata.labels, [key]: 'bad-disk' };
      return { ...node, managed: { ...node.managed, around } };
    };
    const vetoed = await run({ node: 'v2-trend', cluster: clusters.asked, change });
    expect(vetoed.record.outcome).toBe('refused');
    expect(vetoed.record.reason).toContain(`the node has a veto, ${key}: bad-disk.`);

    const free = await run({ node: 'v2-trend', cluster: clusters.askedToo });
    expect(free.record.outcome).toBe('cured');
    const { details } = steps(free).find(({ step }) => step === 'gated');
    expect(details.gates).toContainEqual({
      gate: 'veto',
      decision: 'pass',
      reason: `no veto ${key}: instance, node`,
    });
  });

  it('of which the API server does not tell refuses', async () => {
    const incident = await run({ node: 'v2-zombies', cluster: clusters.unknown });
    expect(incident.record.outcome).toBe('refused');
    expect(incident.record.reason).toContain(
      'whether the node has a veto could not be read: ResourceNotFoundException: No cluster found',
    );
  });

  it('of which EC2 does not tell refuses', async () => {
    let instance = '';
    const refuse = ({ service, call, body }: { service: string; call: string; body: Buffer }) => {
      const asks = service === 'ec2' && call === 'DescribeTags';
      const form = new URLSearchParams(asks ? body.toString('utf8') : '');
      if (form.get('Filter.1.Value.1') === instance && [...form.values()].includes(key)) {
        throw new ServiceError('UnauthorizedOperation', 'not authorized', 403);
      }
      return undefined;
    };
    test.engine.cloud.disturbances.add(refuse);
    const before = async (instanceId: string) => {
      instance = instanceId;
    };
    const incident = await run({ node: 'v2-zombies', before });
    test.engine.cloud.disturbances.delete(refuse);

    expect(incident.record.outcome).toBe('refused');
    expect(incident.record.reason).toContain(
      'whether the instance has a veto could not be read: ec2:DescribeTags was refused with UnauthorizedOperation',
    );
  });
});

/** The recorded node as the API server would have it with other fields in its `spec`. */
function withSpec(node: LocalNode, fields: object): LocalNode {
  const around = structuredClone(node.managed.around);
  const recorded = around?.cluster?.node as { spec?: object } | undefined;
  if (around === undefined || recorded === undefined) throw new Error('no node was recorded');
  recorded.spec = { ...recorded.spec, ...fields };
  return { ...node, managed: { ...node.managed, around } };
}

describe.concurrent('somebody else', () => {
  it('that takes the node away refuses', async () => {
    const taints = [{ key: 'karpenter.sh/disrupted', effect: 'NoSchedule' }];
    const incident = await run({
      node: 'v2-trend',
      cluster: clusters.asked,
      change: (node) => withSpec(node, { taints }),
    });

    expect(incident.record.outcome).toBe('refused');
    expect(incident.record.reason).toBe(
      'the node is being taken away by Karpenter (taint karpenter.sh/disrupted)',
    );
    expect(treated(incident)).toBe(false);
  });

  it('that has cordoned the node makes a person be asked, in mode auto as well', async () => {
    const incident = await run({
      node: 'v2-trend',
      cluster: clusters.asked,
      approve: 'yes',
      change: (node) => withSpec(node, { unschedulable: true }),
    });

    const gated = steps(incident).find(({ step }) => step === 'gated');
    expect(gated).toMatchObject({ outcome: 'ask', actor: { id: 'gate:others' } });
    expect(incident.record.outcome).toBe('cured');
  });
});

describe.concurrent('a maintenance window', () => {
  it('that opens too late skips the treatments, and a person is called and told when it opens', async () => {
    const incident = await run({ node: 'v2-zombies', cluster: own.windowed });

    expect(treated(incident)).toBe(false);
    expect(incident.record.outcome).toBe('unresolved');
    const [first] = incident.record.rungs;
    expect(first).toMatchObject({ status: 'skipped', gate: { gate: 'windows', decision: 'skip' } });
    expect(first?.gate?.reason).toMatch(/the next opens at \S+T12:00:00.000Z, and an incident waits 720/);
    expect(incident.messages.map(({ kind }) => kind)).toContain('call-a-person');
  });
});
