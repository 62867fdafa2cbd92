import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { isInstalled } from '../../bin/exec.ts';
import { CauseId } from '../../lambdas/domain/causes/cause-id.ts';
import { documentedConfig } from './alertmanager.ts';
import { nodeExporterMetrics } from './node-exporter.ts';
import { type Alert, alertsOf, groupsOf, metricsIn, subjects, testsOf } from './rule-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-prometheus-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where a runbook link can end: the anchor of a heading that is an id is the id. */
const headings = [...readFileSync('docs/diagnosis.md', 'utf8').matchAll(/^## (\S+)$/gm)].map(([, id]) => id);

/** What promtool finds wrong, or nothing. */
const complaints = (...args: string[]): string => complaintsOf('promtool', args);

function complaintsOf(tool: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

describe.skipIf(!isInstalled('promtool'))(
  'promtool (skipped where it is not installed)',
  { timeout: 240_000 },
  () => {
    it.each(subjects)('finds rules/%s.yaml well-formed', (subject) => {
      expect(
        complaints('check', 'rules', '--lint=all', '--lint-fatal', `prometheus/rules/${subject}.yaml`),
      ).toBe('');
    });

    it.each(subjects)(
      'sees the alerts of rules/%s.yaml fire and stay silent as their tests say',
      (subject) => {
        expect(complaints('test', 'rules', `prometheus/tests/${subject}.yaml`)).toBe('');
      },
    );

    it('finds the example of a scrape configuration well-formed', () => {
      const config = parse(readFileSync('prometheus/scrape-example.yaml', 'utf8'));
      // Debian's promtool is built without discovery in Kubernetes.
      for (const job of config.scrape_configs) delete job.kubernetes_sd_configs;
      const file = join(folder, 'prometheus.yaml');
      writeFileSync(file, stringify(config));

      expect(complaints('check', 'config', '--syntax-only', file)).toBe('');
    });
  },
);

describe.skipIf(!isInstalled('amtool'))(
  'amtool (skipped where prometheus-alertmanager is not installed)',
  () => {
    it('finds the configuration of an Alertmanager in prometheus/README.md well-formed, and where each severity goes', () => {
      const file = join(folder, 'alertmanager.yml');
      const config = documentedConfig({
        webhookUrl: 'https://example.lambda-url.us-east-1.on.aws/',
        credentialsFile: '/etc/alertmanager/cgroup-medic-token',
      });
      writeFileSync(file, stringify(config));
      const receiver = (severity: string, medic = 'true') => {
        const route = ['config', 'routes', 'test', `--config.file=${file}`];
        const labels = [`severity=${severity}`, `cgroup_medic=${medic}`];
        return spawnSync('amtool', [...route, ...labels], { encoding: 'utf8' }).stdout.trim();
      };

      expect(complaintsOf('amtool', ['check-config', file])).toBe('');
      expect(['critical', 'warning', 'info'].map((severity) => receiver(severity))).toEqual([
        'cgroup-medic',
        'cgroup-medic',
        'others',
      ]);
      expect(receiver('critical', 'false')).toBe('others');
    });
  },
);

describe.each(subjects)('the alerts of rules/%s.yaml', (subject) => {
  const { rule_files, tests } = testsOf(subject);
  const named: [string, Alert][] = alertsOf(subject).map((alert) => [alert.alert, alert]);
  const tested = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
  const expectations = (name: string) => tested.filter(({ alertname }) => alertname === name);

  it('have a file of tests for themselves', () => {
    expect(rule_files).toEqual([`../rules/${subject}.yaml`]);
    expect(new Set(tested.map(({ alertname }) => alertname))).toEqual(new Set(named.map(([name]) => name)));
  });

  it.each(named)('%s carries what intake and routing need', (_, { labels, annotations }) => {
    expect(CauseId.options).toContain(labels.cgroup_medic_cause);
    expect(labels).toMatchObject({
      severity: expect.stringMatching(/^(critical|warning|info)$/),
      cgroup_medic: 'true',
    });
    expect(annotations.runbook_url).toBe(`docs/diagnosis.md#${labels.cgroup_medic_cause}`);
    expect(headings, annotations.runbook_url).toContain(labels.cgroup_medic_cause);
    expect(annotations.summary).toContain('{{ $labels.node }}');
  });

  it.each(named)(
    '%s is tested firing, with the node and the cluster on it, and silent',
    (name, { labels }) => {
      const ofThisRule = expectations(name).flatMap(({ exp_alerts }) =>
        exp_alerts.filter(({ exp_labels }) =>
          Object.entries(labels).every(([label, value]) => exp_labels[label] === value),
        ),
      );

      expect(ofThisRule.length).toBeGreaterThan(0);
      for (const { exp_labels } of ofThisRule) {
        expect(exp_labels).toMatchObject({
          node: expect.stringMatching(/^worker-\d$/),
          cluster: expect.stringMatching(/./),
        });
        // A label of the exporter's target would make one alert of each exporter and restart.
        expect(exp_labels).not.toHaveProperty('instance');
        expect(exp_labels).not.toHaveProperty('job');
      }
      expect(expectations(name).some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true);
    },
  );
});

describe('the metrics', () => {
  const readme = readFileSync('prometheus/README.md', 'utf8');
  const rows = readme.matchAll(/^\| `([a-z]\w+)` \| ([a-z_-]+) \|/gim);
  // Without the folder of the textfiles, which is one of a test's own.
  const flags = readme.match(/(?<=^ {4})--collector\.(?!textfile)\S+$/gm) ?? [];
  const listed = new Map([...rows].map(([, name, exporter]) => [name ?? '', exporter ?? '']));
  const exprs = subjects.flatMap((subject) => groupsOf(subject)).flatMap(({ rules }) => rules);
  const used = new Set(exprs.flatMap(({ expr }) => metricsIn(expr)));

  it('are found in an expression whatever surrounds them', () => {
    const expr =
      'max by (a, b) (rate(x_total{c="d_e",f=~"(g|h)"}[5m]) / y:z:rate5m) > on (a) group_left 1e6\nand w offset 1h unless on (b) time() - v > 1';

    expect(metricsIn(expr)).toEqual(['x_total', 'y:z:rate5m', 'w', 'v']);
  });

  it('that rules read, and no others, are in the table of prometheus/README.md with their exporter', () => {
    expect([...used].filter((name) => !name.includes(':')).sort()).toEqual([...listed.keys()].sort());
    expect(new Set(listed.values())).toEqual(
      new Set(['textfile', 'node_exporter', 'kubelet', 'cadvisor', 'kube-state-metrics']),
    );
  });

  it('that are recorded are recorded in the group that reads them, before it does, and read', () => {
    for (const { rules } of subjects.flatMap((subject) => groupsOf(subject))) {
      const recorded = new Set<string>();
      for (const rule of rules) {
        for (const name of metricsIn(rule.expr)) {
          if (name.includes(':')) expect(recorded).toContain(name);
        }
        if ('record' in rule) recorded.add(rule.record);
      }
      const read = new Set(rules.flatMap(({ expr }) => metricsIn(expr)));
      for (const name of recorded) expect(read).toContain(name);
    }
  });

  describe.skipIf(!isInstalled('prometheus-node-exporter'))(
    'of node_exporter (skipped where prometheus-node-exporter is not installed)',
    () => {
      it('are exposed by it with the flags of prometheus/README.md', async () => {
        const directory = mkdtempSync(join(folder, 'textfile-'));
        writeFileSync(join(directory, 'cgroup-medic-zombies.prom'), 'cgroup_medic_dying_memory_cgroups 1\n');
        const { names, collectors } = await nodeExporterMetrics([
          ...flags,
          `--collector.textfile.directory=${directory}`,
        ]);
        const expected = [...listed].flatMap(([name, from]) => (from === 'node_exporter' ? [name] : []));
        // The systemd collector needs a bus, PSI a kernel with it.
        const absent = ['systemd', 'pressure'].filter((collector) => collectors.get(collector) !== 1);

        expect(
          expected.filter(
            (name) => !names.has(name) && !absent.some((part) => name.startsWith(`node_${part}`)),
          ),
        ).toEqual([]);
        expect([...collectors.keys()]).toEqual(expect.arrayContaining(['cgroups', 'vmstat', 'textfile']));
      });
    },
  );
});
