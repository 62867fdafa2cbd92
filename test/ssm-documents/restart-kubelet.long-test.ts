import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { killEverywhere } from './killed-run.ts';
import { copyOf, json, type NodeFolder, nodeFolder, smallTree } from './node-folder.ts';
import {
  healthyKubelet,
  type StandIns,
  standIns,
  standInsOf,
  startedSecondsAgo,
} from './stand-in-systemd.ts';

const unit = 'kubelet.service';
const parameters = { minUptimeSeconds: '60', maxSeconds: '30', incident: 'test-1', fencing: '1' };

type TestNode = NodeFolder & {
  systemd: StandIns;
  restart(changes?: Record<string, string>, env?: Record<string, string>): ReturnType<NodeFolder['run']>;
  /** How often systemd was asked to restart it. */
  restarts(): number;
};
const nodes: TestNode[] = [];
const servers: Server[] = [];
afterAll(() => {
  for (const node of nodes.splice(0)) node.close();
  for (const server of servers.splice(0)) server.close();
});

/** A healthz endpoint: `healthy` is asked for every request. */
async function healthz(healthy: () => boolean = () => true): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/healthz' && healthy() ? 200 : 500).end('ok');
  });
  servers.push(server);
  return listen(server);
}

function listen(server: Pick<Server, 'listen' | 'address' | 'unref'>): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(String(typeof address === 'object' ? address?.port : ''));
    });
  });
}

async function open(properties: Record<string, string> = {}, port?: string): Promise<TestNode> {
  const node = nodeFolder(smallTree);
  const systemd = standIns(node.root);
  systemd.unit(unit, {
    ...healthyKubelet,
    ExecMainStartTimestampMonotonic: startedSecondsAgo(90),
    ...properties,
  });
  mkdirSync(join(node.root, 'proc/777'), { recursive: true });
  node.write('proc/777/status', 'Name:\tkubelet\nVmRSS:\t  123456 kB\n');
  const opened = testNode(node, port ?? (await healthz()));
  nodes.push(opened);
  return opened;
}

function testNode(node: NodeFolder, port: string): TestNode {
  const systemd = standInsOf(node.root);
  const env = { CGROUP_MEDIC_HEALTHZ_PORT: port };
  return {
    ...node,
    systemd,
    restart: (changes = {}, more = {}) =>
      node.run('restart-kubelet', { ...parameters, ...changes }, { ...env, ...more }),
    restarts: () => systemd.changes().filter((line) => line.includes(' restart ')).length,
  };
}

describe.concurrent('restart-kubelet', () => {
  it('restarts once, waits until it is healthy, and says what was there before and after', async () => {
    const node = await open();
    const result = await node.restart();

    expect(result.status).toBe('Success');
    expect(json(result)).toEqual({
      version: 1,
      document: 'restart-kubelet',
      changed: true,
      dryRun: false,
      before: {
        state: 'active',
        subState: 'running',
        result: 'success',
        mainPid: 777,
        rssKb: 123456,
        nRestarts: 2,
        startedAt: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        uptimeSeconds: expect.any(Number),
        healthz: true,
      },
      after: expect.objectContaining({ state: 'active', nRestarts: 0, rssKb: null, healthz: true }),
      changes: [{ kind: 'unit', subject: unit, from: 'active', to: 'restarted' }],
      changesLeftOut: 0,
      refusals: [],
      refusalsLeftOut: 0,
      undo: null,
      waitedSeconds: expect.any(Number),
    });
    const { before, after } = json(result);
    expect(before.uptimeSeconds).toBeGreaterThanOrEqual(90);
    expect(Math.abs(Date.parse(before.startedAt) - (Date.now() - 90_000))).toBeLessThan(30_000);
    expect(after.uptimeSeconds).toBeLessThan(20);
    expect(node.systemd.changes()).toEqual([`systemctl restart --no-block ${unit}`]);
  });

  it('predicts the same in a dry run, and does nothing the second time', async () => {
    const node = await open();
    const dry = json(await node.restart({ dryRun: 'true' }));
    const asked = node.restarts();
    const real = json(await node.restart());
    const again = await node.restart();
    const dryAgain = json(await node.restart({ dryRun: 'true' }));

    expect(asked).toBe(0);
    expect(dry).toMatchObject({ changed: false, dryRun: true, changes: real.changes, refusals: [] });
    expect(again.status).toBe('Success');
    expect(json(again)).toMatchObject({
      changed: false,
      changes: [],
      refusals: [{ subject: unit, reason: 'incident test-1 has had it restarted already' }],
    });
    expect(dryAgain.refusals).toEqual(json(again).refusals);
    expect(node.restarts()).toBe(1);
  });

  it.each<[string, Record<string, string>, string]>([
    ['there is none', { LoadState: 'not-found', ActiveState: 'inactive' }, 'is not-found to systemd'],
    ['it is masked', { LoadState: 'masked' }, 'is masked to systemd'],
    ['systemd is at work on it', { Job: '4711' }, 'at this moment (job 4711)'],
    ['it is stopped', { ActiveState: 'inactive', SubState: 'dead' }, 'is stopped'],
    ['it crash-loops', { ActiveState: 'activating', SubState: 'auto-restart' }, 'is crash-looping'],
    ['it is starting', { ActiveState: 'activating', SubState: 'start' }, 'neither running nor failed'],
    ['it is stopping', { ActiveState: 'deactivating', SubState: 'stop-sigterm' }, 'neither running'],
    [
      'it failed strangely',
      { ActiveState: 'failed', SubState: 'failed', Result: 'exec-condition' },
      '(exec-condition)',
    ],
    ['a restart would kill pods', { KillMode: 'control-group' }, 'KillMode=control-group'],
    ['a restart would kill pods, mixed', { KillMode: 'mixed' }, 'KillMode=mixed'],
    ['its KillMode is unknown', { KillMode: '' }, 'KillMode='],
    ['nobody knows when it started', { ExecMainStartTimestampMonotonic: '0' }, 'does not tell when'],
    ['it has just started', { ExecMainStartTimestampMonotonic: startedSecondsAgo(30) }, 'less than 60 s'],
    ['a service is bound to it', { BoundBy: 'vpn.service' }, 'vpn.service depends on'],
    ['a service is part of it', { ConsistsOf: 'helper.service' }, 'helper.service depends on'],
    [
      'a service requires it',
      { RequiredBy: 'multi-user.target tunnel.service' },
      'tunnel.service depends on',
    ],
  ])('refuses when %s', async (_, properties, message) => {
    const node = await open(properties);
    const [dry, real] = [await node.restart({ dryRun: 'true' }), await node.restart()];

    expect(real.status).toBe('Failed');
    expect(json(real).error).toContain(message);
    // Some seconds pass between the two.
    const said = (result: typeof real) => json(result).error.replace(/\d+ s ago/, 'N s ago');
    expect(said(dry)).toBe(said(real));
    expect(node.systemd.changes()).toEqual([]);
  });

  it('restarts one that has failed in a known way, and is required by targets only', async () => {
    const node = await open({
      ActiveState: 'failed',
      SubState: 'failed',
      Result: 'oom-kill',
      MainPID: '0',
      RequiredBy: 'multi-user.target',
    });
    const result = json(await node.restart());

    expect(result).toMatchObject({
      changed: true,
      before: { state: 'failed', result: 'oom-kill', mainPid: 0, rssKb: null },
      after: { state: 'active', result: 'success' },
      changes: [{ from: 'failed', to: 'restarted' }],
    });
  });

  it('does not know how often an old systemd has restarted it', async () => {
    const node = await open();
    node.systemd.unit(unit, {
      ...healthyKubelet,
      NRestarts: '',
      ExecMainStartTimestampMonotonic: startedSecondsAgo(90),
    });

    expect(json(await node.restart({ dryRun: 'true' })).before.nRestarts).toBe(null);
  });

  it('says that it was restarted and is not healthy in time', { timeout: 120_000 }, async () => {
    const node = await open({}, await healthz(() => false));
    const result = await node.restart();
    const again = await node.restart();

    expect(result.status).toBe('Failed');
    expect(json(result)).toMatchObject({
      changed: true,
      error: `${unit} was restarted and is not healthy after 30 s (active, healthz does not answer ok)`,
      after: { healthz: false },
      changes: [{ to: 'restarted' }],
    });
    expect(again.status).toBe('Failed');
    expect(json(again)).toMatchObject({ changed: false, error: expect.stringContaining('not healthy') });
    expect(node.restarts()).toBe(1);
  });

  it('waits for a healthz that comes later, and does not hang on one that never answers', {
    timeout: 120_000,
  }, async () => {
    const from = Date.now() + 6000;
    const silent = createTcpServer(() => {}).unref();
    const [late, deaf] = [
      await open({}, await healthz(() => Date.now() > from)),
      await open({}, await listen(silent as unknown as Server)),
    ];
    const [result, dry] = [await late.restart(), await deaf.restart({ dryRun: 'true' })];
    silent.close();

    expect(json(result)).toMatchObject({
      changed: true,
      before: { healthz: false },
      after: { healthz: true },
    });
    expect(json(result).waitedSeconds).toBeGreaterThan(3);
    expect(json(dry).before.healthz).toBe(false);
  });

  it('does not take a crash loop that is healthy now and then for health', { timeout: 120_000 }, async () => {
    const node = await open();
    // Another process at every look.
    node.systemd.on('restart', 'put ExecMainStartTimestampMonotonic "$(now)"; touch "$root/loop"');
    node.systemd.on(
      'show',
      `if [[ -z "$unit" ]]; then cat "$root/units/manager"; exit; fi
if [[ -e "$root/loop" ]]; then put MainPID "$((RANDOM + 2))"; put ExecMainStartTimestampMonotonic "$(now)"; fi
IFS=, read -ra wanted <<<"$properties"
for property in "\${wanted[@]}"; do grep "^$property=" "$file" || true; done`,
    );
    const result = json(await node.restart());

    expect(result).toMatchObject({ changed: true, error: expect.stringContaining('not healthy after 30 s') });
  });

  it('says at once that it has failed', async () => {
    const node = await open();
    node.systemd.on(
      'restart',
      'run; put ActiveState failed; put SubState failed; put Result exit-code; put MainPID 0',
    );
    const result = await node.restart();

    expect(result.status).toBe('Failed');
    expect(json(result)).toMatchObject({
      changed: true,
      error: `${unit} was restarted and has failed (exit-code)`,
      after: { state: 'failed' },
    });
    expect(json(result).waitedSeconds).toBeLessThan(30);
  });

  it('says that systemd has not done it yet', { timeout: 120_000 }, async () => {
    const node = await open();
    node.systemd.on('restart', ':');
    const result = await node.restart();

    expect(json(result)).toMatchObject({
      changed: true,
      error: `systemd has not restarted ${unit} within 30 s; it may still do so`,
    });
  });

  it('may be tried again when systemd would not take it', async () => {
    const node = await open();
    node.systemd.fail('restart');
    const refused = await node.restart();
    node.systemd.fail();
    const result = json(await node.restart());

    expect(json(refused).error).toBe(`systemctl restart ${unit} failed: Failed to restart: stand-in`);
    expect(result).toMatchObject({ changed: true });
  });

  it('refuses a node where systemd does not run, or does not answer', { timeout: 90_000 }, async () => {
    const bare = nodeFolder(smallTree);
    const hanging = await open();
    hanging.systemd.hang('show');
    const results = [await bare.run('restart-kubelet', parameters), await hanging.restart()];
    bare.close();

    expect(json(results[0] ?? { stdout: '' }).error).toContain('systemd does not run this node');
    expect(json(results[1] ?? { stdout: '' }).error).toContain('systemd does not answer');
  });
});

describe('killed between any two commands', () => {
  it('restart-kubelet has restarted it at most once, however often it is delivered', {
    timeout: 300_000,
  }, async () => {
    const port = await healthz();
    const start = await open({}, port);
    const { outcomes } = await killEverywhere(
      {
        open: () => testNode(copyOf(start), port),
        run: (node, env) => node.restart({}, env),
        look: async (node) => {
          const first = node.restarts();
          const again = json(await node.restart());
          return { first, error: again.error, restarts: node.restarts() };
        },
      },
      { atOnce: 6 },
    );

    expect(new Set(outcomes.map(({ first }) => first))).toEqual(new Set([0, 1]));
    expect(outcomes.filter(({ error, restarts }) => error !== undefined || restarts !== 1)).toEqual([]);
  });
});
