import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { auditQueries, waitingApprovals } from '../../cdk/constructs/audit-queries.ts';
import { incidentFigures } from '../../lambdas/domain/incident-figures.ts';
import type { Json } from '../../local/engine/json.ts';
import { openedState } from '../lambdas/domain/sample-state.ts';
import { list } from './rights-of.ts';
import { type Resource, render, resourcesOf, synthesize, type Template } from './template.ts';

const root = resolve(import.meta.dirname, '../..');
const workspaceArn =
  'arn:aws:aps:eu-central-1:000000000000:workspace/ws-01234567-89ab-cdef-0123-456789abcdef';
let template: Template;
let plain: Template;
beforeAll(() => {
  plain = synthesize();
  template = synthesize({
    clusters: { example: { alarms: { containerInsights: true } }, second: {} },
    prometheus: { workspaceArn },
  });
});

/** By logical id, without its hash. */
function alarms(of: Template): Record<string, Resource['Properties']> {
  const found = Object.entries(of.Resources).filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm');
  return Object.fromEntries(
    found.map(([id, { Properties }]) => [
      id.replace(/[0-9A-F]{8}$/, ''),
      render(of, Properties) as Resource['Properties'],
    ]),
  );
}

/**
 * What no figure means to an alarm: of a census that has to come, the fault itself; of what only shows when something happens,
 * none; of a figure of a census, that nobody knows, for its silence has an alarm of its own.
 */
function onNoFigure(id: string): string {
  if (/^PipelineAlarmsSilent/.test(id)) return 'breaching';
  // A breaker says when it changes, and stays as it is until then.
  if (/^PipelineAlarmsBroken/.test(id)) return 'ignore';
  return /^(PipelineAlarms|Janitor)/.test(id) ? 'notBreaching' : 'missing';
}

describe('every alarm', () => {
  it('tells people, says what to do, and has no name that opens an incident', () => {
    const all = Object.entries(alarms(template));
    expect(all.length).toBeGreaterThan(5);
    for (const [id, { AlarmActions, AlarmDescription, AlarmName, TreatMissingData }] of all) {
      expect(AlarmActions, id).toEqual(['<NotificationsTopic>']);
      expect(String(AlarmDescription).split(/[.:] /).length, id).toBeGreaterThan(1);
      // The service takes 1,024 characters.
      expect(String(AlarmDescription).length, id).toBeLessThan(1024);
      expect(AlarmName, id).toBeUndefined();
      expect(TreatMissingData, id).toBe(onNoFigure(id));
    }
  });
});

describe('alarms on the pipeline', () => {
  it('go off for a breaker that opened, by the figure that the gates publish', () => {
    expect(alarms(plain).PipelineAlarmsBrokenexample).toMatchObject({
      Namespace: 'CgroupMedic',
      MetricName: 'BreakerOpen',
      Dimensions: [{ Name: 'Cluster', Value: 'example' }],
      Statistic: 'Maximum',
      Threshold: 1,
      EvaluationPeriods: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    });
  });

  it('say what to do with a message that was lost: alarms cannot be moved back into their queue', () => {
    const { PipelineAlarmsLostintake: intake, PipelineAlarmsLostcensus: census } = alarms(plain);
    expect(JSON.stringify(intake?.AlarmDescription)).toContain('start the incident by hand');
    expect(JSON.stringify(intake?.AlarmDescription)).not.toContain('redrive');
    expect(JSON.stringify(census?.AlarmDescription)).toContain('redrive the queue');
  });

  it('go off for messages that were lost', () => {
    expect(alarms(plain).PipelineAlarmsLostintake).toMatchObject({
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: '<IntakeDeadLetters.QueueName>' }],
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    });
  });

  it('go off for executions that did not end themselves, in whichever way', () => {
    const { Metrics, Threshold } = alarms(plain).PipelineAlarmsFailed ?? {};
    const names = list(Metrics ?? []).flatMap((metric) => {
      const { MetricStat } = metric as { MetricStat?: { Metric: { MetricName: string; Dimensions: Json } } };
      return MetricStat === undefined ? [] : [MetricStat.Metric];
    });
    expect(names.map(({ MetricName }) => MetricName).sort()).toEqual([
      'ExecutionsAborted',
      'ExecutionsFailed',
      'ExecutionsTimedOut',
    ]);
    for (const { Dimensions } of names) {
      expect(Dimensions).toEqual([{ Name: 'StateMachineArn', Value: '<IncidentStateMachine>' }]);
    }
    expect(Threshold).toBe(1);
  });

  it('go off for refused alarms of all reasons together, by a query that may look back no more than three hours', () => {
    expect(alarms(plain).PipelineAlarmsRefused).toMatchObject({
      Metrics: [{ Expression: 'SELECT SUM(AlarmsRefused) FROM SCHEMA("CgroupMedic", Reason)', Period: 3600 }],
      EvaluationPeriods: 1,
      Threshold: 10,
      ComparisonOperator: 'GreaterThanThreshold',
    });
  });

  it('go off for each cluster whose approvals nobody answers', () => {
    for (const cluster of ['example', 'second']) {
      expect(alarms(template)[`PipelineAlarmsExpired${cluster}`]).toMatchObject({
        Namespace: 'CgroupMedic',
        MetricName: 'Incidents',
        Dimensions: [
          { Name: 'Cluster', Value: cluster },
          { Name: 'Outcome', Value: 'expired' },
        ],
        Period: 86_400,
        Threshold: 3,
      });
    }
  });
});

describe('alarms on a cluster', () => {
  it('are on Container Insights where the settings say that it is on', () => {
    const insights = Object.entries(alarms(template)).filter(
      ([, { Namespace }]) => Namespace === 'ContainerInsights',
    );
    expect(
      insights.map(([, { MetricName, Dimensions }]) => `${MetricName} ${JSON.stringify(Dimensions)}`),
    ).toEqual([
      'cluster_failed_node_count [{"Name":"ClusterName","Value":"example"}]',
      'node_memory_utilization [{"Name":"ClusterName","Value":"example"}]',
    ]);
    expect(Object.values(alarms(plain)).filter(({ Namespace }) => Namespace === 'ContainerInsights')).toEqual(
      [],
    );
  });
});

describe('the dashboard', () => {
  const body = () => {
    const [dashboard] = resourcesOf(plain, 'AWS::CloudWatch::Dashboard');
    return String(render(plain, dashboard?.Properties.DashboardBody ?? null));
  };

  it('searches for metrics that somebody publishes, by the dimensions that they have', () => {
    const searched = [...body().matchAll(/SEARCH\('\{([^}]+)\} MetricName=\\"(\w+)\\"/g)].map(
      ([, schema = '', metric = '']) => `${metric} ${schema}`,
    );
    const closed = incidentFigures(
      {
        ...openedState(),
        outcome: 'cured',
        diagnosis: { cause: 'dying-memcgs' } as never,
        results: [
          {
            treatment: 'reclaim',
            arguments: {},
            risk: 'low',
            status: 'done',
            approval: { id: 'a', status: 'approved' },
          },
        ],
      },
      [{ step: 'diagnosed', at: '2026-11-21T06:00:30.000Z' }],
      new Date('2026-11-21T06:10:00.000Z'),
    ).map(({ metric, dimensions }) => `${metric} ${['CgroupMedic', ...Object.keys(dimensions)].join(',')}`);
    const others = [
      'AlarmsAccepted CgroupMedic',
      'BreakerOpen CgroupMedic,Cluster',
      'BudgetHeld CgroupMedic,Cluster',
      'AlarmsRefused CgroupMedic,Reason',
      ...[
        'DyingCgroups',
        'NodesOverThreshold',
        'NodesAnswered',
        'StandingTreatments',
        'StandingRaised',
        'StandingOverThreshold',
      ].map((metric) => `${metric} CgroupMedic,ClusterName`),
    ];
    expect(searched.length).toBeGreaterThan(10);
    expect(searched.filter((one) => !closed.includes(one) && !others.includes(one))).toEqual([]);
  });

  it('is JSON of widgets that do not overlap, and asks the audit log group who waits', () => {
    const { widgets } = JSON.parse(body()) as {
      widgets: {
        type: string;
        x: number;
        y: number;
        width: number;
        height: number;
        properties: { query?: string };
      }[];
    };
    const cells = widgets.flatMap(({ x, y, width, height }) =>
      Array.from(
        { length: width * height },
        (_, cell) => `${x + (cell % width)},${y + Math.floor(cell / width)}`,
      ),
    );
    expect(new Set(cells).size).toBe(cells.length);
    const [waiting] = widgets.filter(({ type }) => type === 'log');
    expect(waiting?.properties.query).toContain("SOURCE '<AuditLog>'");
    expect(waiting?.properties.query).toContain('approval.requested');
    expect(waitingApprovals).toContain('filter last = "approval.requested"');
  });
});

describe('the saved queries', () => {
  it('are asked of the audit log group', () => {
    const saved = resourcesOf(plain, 'AWS::Logs::QueryDefinition').map(({ Properties }) =>
      render(plain, Properties),
    );
    expect(saved).toEqual(
      auditQueries.map(({ name, says, query }) => ({
        Name: `cgroup-medic/${name}`,
        LogGroupNames: ['<AuditLog>'],
        QueryString: `# ${says}\n${query}`,
      })),
    );
  });
});

describe('a workspace of Amazon Managed Prometheus', () => {
  it('gets the rules, a namespace for each file', () => {
    const namespaces = resourcesOf(template, 'AWS::APS::RuleGroupsNamespace').map(
      ({ Properties }) => Properties,
    );
    expect(namespaces.map(({ Name }) => Name)).toContain('cgroup-medic-zombies');
    expect(namespaces).toHaveLength(7);
    for (const { Workspace, Data } of namespaces) {
      expect(Workspace).toBe(workspaceArn);
      expect(String(Data)).toMatch(/^groups:$/m);
    }
  });

  it('can be told to send its alerts to the intake, as JSON, by what docs/deploying.md fills in', () => {
    const file = readFileSync(join(root, 'prometheus/amp-alertmanager.yaml'), 'utf8');
    const { template_files, alertmanager_config } = parse(
      file.replace('TOPIC_ARN', 'arn:x').replace('REGION', 'eu-central-1'),
    );
    expect(parse(alertmanager_config)).toMatchObject({
      templates: Object.keys(template_files),
      route: { routes: [{ receiver: 'cgroup-medic' }] },
      receivers: [
        { name: 'nobody' },
        { sns_configs: [{ topic_arn: 'arn:x', sigv4: { region: 'eu-central-1' }, send_resolved: true }] },
      ],
    });
    expect(file.match(/TOPIC_ARN|REGION/g)).toEqual(['TOPIC_ARN', 'REGION']);
  });

  it('is not there where the settings name none', () => {
    expect(resourcesOf(plain, 'AWS::APS::RuleGroupsNamespace')).toEqual([]);
  });

  it('must be an ARN', () => {
    expect(() => synthesize({ clusters: { a: {} }, prometheus: { workspaceArn: 'ws-0123' } })).toThrow(
      'cgroup-medic.prometheus.workspaceArn = "ws-0123": change it; it must be the ARN of a workspace',
    );
  });
});
