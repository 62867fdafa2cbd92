import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isInstalled } from '../../bin/exec.ts';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import { IncidentState } from '../../lambdas/domain/incident-state.ts';
import { inOrder } from '../../local/audit-file.ts';
import type { LogLine } from '../../local/cloud/cloudwatch-logs.ts';
import type { StartedExecution } from '../../local/engine/executions.ts';
import { drainQueue } from '../../local/engine/queues.ts';
import { clusters, leaseHolder } from '../local/test-engine.ts';
import { useTestIntake } from '../local/use-test-intake.ts';
import { failedNotifications, startAlertmanager } from './alertmanager.ts';
import type { Daemon } from './daemon.ts';
import { startPrometheus } from './prometheus.ts';
import { alertsOf } from './rule-files.ts';
import { serveZombies } from './zombies-exporter.ts';

// Three evaluations of a minute each until the alert fires, and one until it has ended.
vi.setConfig({ testTimeout: 480_000, hookTimeout: 240_000 });
const patiently = { timeout: 460_000, interval: 500 };

const tools = ['prometheus', 'promtool', 'prometheus-alertmanager'];

/*
 * A real Prometheus and a real Alertmanager, and between the two ends the deployed bundles: a recorded node has zombies, the script of
 * the project counts them, a rule fires, Alertmanager calls the webhook, an incident cures the node, the rule sees that, and the alert ends.
 *
 * The rules are the files of the project, unchanged. Theirs has to hold for 15 minutes, so this Prometheus is one that has been
 * started again: its storage holds what the one before it would have written in twenty minutes, which is the recorded series and since
 * when the alert was pending (ALERTS_FOR_STATE). From that Prometheus restores an alert, and it fires if it still holds. The configuration of
 * Alertmanager is that of prometheus/README.md with waits of a second. Nobody but Prometheus, by its scrapes, says how the node is.
 */
describe.skipIf(!tools.every(isInstalled))(`an Alertmanager (skipped without ${tools.join(', ')})`, () => {
  const intake = useTestIntake();
  const { alarms, attach, counting, startedFor, token } = intake;
  const rule = alertsOf('zombies').find(({ alert }) => alert === 'CgroupMedicDyingCgroups');
  const closing: (() => Promise<void>)[] = [];
  const lines: LogLine[] = [];
  let folder: string;
  let credentialsFile: string;
  let node: Awaited<ReturnType<typeof attach>>;
  let alertmanager: Daemon;
  let prometheus: Daemon;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-alertmanager-'));
    credentialsFile = join(folder, 'token');
    intake.engine.onLogLine((line) => {
      lines.push(line);
    });
    const nodeName = 'ip-10-0-1-31.ec2.internal';
    node = await attach('v2-zombies', { cluster: clusters.auto, nodeName, privateDnsName: nodeName });
    writeFileSync(credentialsFile, '0'.repeat(48));
    const exporter = await serveZombies(node.root, join(folder, 'textfile'));
    closing.push(() => exporter.close());
    alertmanager = await startAlertmanager({
      folder: join(folder, 'alertmanager'),
      webhookUrl: intake.webhookUrl,
      credentialsFile,
    });
    closing.push(() => alertmanager.stop());
    const minutes = 20;
    const series = { node: nodeName, slice: '/' };
    const pending = { alertname: rule?.alert ?? '', ...rule?.labels, ...series };
    const since = Math.floor(Date.now() / 1000) - minutes * 60;
    prometheus = await startPrometheus({
      folder: join(folder, 'prometheus'),
      cluster: clusters.auto,
      node: { name: nodeName, address: exporter.address },
      alertmanager: new URL(alertmanager.url).host,
      past: {
        minutes,
        series: [
          { name: 'cgroup_medic:dying_memory_cgroups', labels: series, value: 4600 },
          { name: 'ALERTS_FOR_STATE', labels: pending, value: since },
        ],
      },
    });
    closing.push(() => prometheus.stop());
  });
  afterAll(async () => {
    await Promise.allSettled(closing.map((close) => close()));
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const drain = () => drainQueue(intake.engine, alarms());
  const written = (stream: string) =>
    lines
      .filter((line) => line.group === intake.output('AuditLogGroupName') && line.stream.startsWith(stream))
      .map(({ message }) => message);
  let started: StartedExecution | undefined;
  let alert: { fingerprint: string; startsAt: string };
  const eventId = () => `${alert.fingerprint}@${new Date(alert.startsAt).toISOString()}`;

  it('without the token of the secret is refused, says so, and sends again with the next notification', async () => {
    const counts = await counting(() =>
      vi.waitFor(async () => expect(await failedNotifications(alertmanager)).toBeGreaterThan(2), patiently),
    );

    expect(counts).toEqual({ 'AlarmsRefused unauthorized': expect.any(Number) });
    expect(counts['AlarmsRefused unauthorized']).toBeGreaterThan(2);
    expect(alertmanager.log()).toMatch(/level=error .*unexpected status code 401/);
    expect(intake.engine.cloud.queues.take(alarms())).toEqual([]);
    expect(startedFor(node.instanceId)).toEqual([]);
  });

  it('with the token in its file, which it reads anew, opens an incident on the node that the label names', async () => {
    writeFileSync(credentialsFile, token());
    await vi.waitFor(async () => {
      await drain();
      expect(startedFor(node.instanceId)).toHaveLength(1);
    }, patiently);
    [started] = startedFor(node.instanceId);
    [alert] = (await (await fetch(`${alertmanager.url}/api/v2/alerts`)).json()) as [typeof alert];

    expect(started?.input).toEqual({
      source: 'alertmanager',
      id: eventId(),
      at: new Date(alert.startsAt).toISOString(),
      cluster: clusters.auto,
      instanceId: node.instanceId,
      reason: `CgroupMedicDyingCgroups: ${node.nodeName} has 4.6k dying memory cgroups.`,
    });
  });

  it('that repeats itself while the incident is open, and afterwards, opens no second one', async () => {
    // Step Functions takes it for the one that is running, and for a repetition once that has ended.
    await vi.waitFor(
      async () => expect(await counting(drain)).toMatchObject(some('AlarmsAccepted')),
      patiently,
    );
    await started?.ended;

    expect(await counting(drain)).toMatchObject(some('AlarmsRepeated'));
    expect(intake.engine.executions.all()).toHaveLength(1);
  });

  it('has its incident closed as cured, with a trail that is whole and names the alert', async () => {
    const ended = await started?.ended;
    const id = started?.name ?? '';
    const trail = inOrder(written(id)).map((line) => JSON.parse(line));

    expect(ended?.status).toBe('SUCCEEDED');
    expect(IncidentState.parse(ended?.output)).toMatchObject({
      incident: { id, cluster: clusters.auto, alarm: { source: 'alertmanager', id: eventId() } },
      diagnosis: { cause: 'dying-memcgs' },
      outcome: 'cured',
    });
    expect(verifyTrail(trail, intake.engine.cloud.keys[0]?.publicKeyPem)).toMatchObject({ ok: true });
    expect(trail.find(({ step }) => step === 'incident.opened')).toMatchObject({
      actor: { kind: 'alarm', id: eventId() },
      details: { alarm: { source: 'alertmanager' } },
    });
    expect(trail.find(({ step }) => step === 'incident.closed')).toMatchObject({ outcome: 'cured' });
    expect(await leaseHolder(intake.engine, node.instanceId)).toBeUndefined();
    expect(intake.engine.cloud.unanswered).toEqual([]);
  });

  it('says that the alert has ended once Prometheus sees the node cured; that is written down, and closes nothing', async () => {
    const trail = written(started?.name ?? '');
    const alarmLines = () => written('alarms-').map((line) => JSON.parse(line));
    await vi.waitFor(async () => {
      await drain();
      expect(alarmLines()).toHaveLength(1);
    }, patiently);

    expect(alarmLines()).toMatchObject([
      {
        kind: 'alarm.resolved',
        source: 'alertmanager',
        eventId: eventId(),
        target: { nodeName: node.nodeName },
        cluster: clusters.auto,
      },
    ]);
    expect(written(started?.name ?? '')).toEqual(trail);
    expect(startedFor(node.instanceId)).toHaveLength(1);
  });

  it('was told by the rules as they are in the project, of which Prometheus finds none in error', async () => {
    const answer = await (await fetch(`${prometheus.url}/api/v1/rules`)).json();
    const rules = (answer as Rules).data.groups.flatMap((group) => group.rules);

    expect(rules.filter(({ health }) => health === 'err')).toEqual([]);
    expect(rules.find(({ name }) => name === rule?.alert)).toMatchObject({ health: 'ok', duration: 15 * 60 });
  });
});

/** That a metric was counted, however often. */
function some(metric: string) {
  return { [metric]: expect.any(Number) };
}

type Rules = { data: { groups: { rules: { name: string; health: string; duration?: number }[] }[] } };
