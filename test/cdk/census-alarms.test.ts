import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { Pass, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { describe, expect, it } from 'vitest';
import { ClusterAlarms } from '../../cdk/constructs/cluster-alarms.ts';
import { PipelineAlarms } from '../../cdk/constructs/pipeline-alarms.ts';

const action: IAlarmAction = { bind: () => ({ alarmActionArn: 'arn:of:the:topic' }) };
const thresholds = { dyingCount: 2000, dyingPerDay: 1000 };

/** The alarms of a stack of its own, by logical id without its hash. */
function alarmsOf(add: (stack: Stack) => void): Record<string, Record<string, unknown>> {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Alarms');
  add(stack);
  const found = Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm');
  return Object.fromEntries(
    Object.entries(found).map(([id, { Properties }]) => [id.replace(/[0-9A-F]{8}$/, ''), Properties]),
  );
}

const cluster = (censusMinutes?: number) =>
  alarmsOf((stack) => {
    new ClusterAlarms(stack, 'C', {
      cluster: 'prod',
      thresholds,
      containerInsights: false,
      action,
      ...(censusMinutes === undefined ? {} : { censusMinutes }),
    });
  });

const pipeline = (censusMinutes: Record<string, number>) =>
  alarmsOf((stack) => {
    const stateMachine = new StateMachine(stack, 'M', { definition: new Pass(stack, 'P') });
    new PipelineAlarms(stack, 'P1', {
      clusters: [],
      stateMachine,
      deadLetters: {},
      censusMinutes,
      swept: [],
      action,
    });
  });

describe('a census', () => {
  it('that is silent for three periods, or never spoke, is an alarm', () => {
    expect(pipeline({ prod: 15 }).P1Silentprod).toMatchObject({
      Namespace: 'CgroupMedic',
      MetricName: 'CensusRuns',
      Dimensions: [{ Name: 'ClusterName', Value: 'prod' }],
      Statistic: 'Sum',
      Period: 900,
      EvaluationPeriods: 3,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
      AlarmActions: ['arn:of:the:topic'],
    });
    expect(Object.keys(pipeline({}))).toEqual(['P1Failed', 'P1Refused']);
  });

  it.each([5, 15, 59, 60, 1440])(
    'of every %i minutes has alarms of a length that the service takes',
    (minutes) => {
      const all = [...Object.values(pipeline({ prod: minutes })), ...Object.values(cluster(minutes))];
      expect(all).toHaveLength(6);
      for (const { Period, Metrics, EvaluationPeriods } of all) {
        const stats = (Metrics as { MetricStat?: { Period: number }; Period?: number }[] | undefined) ?? [];
        const period =
          (Period as number | undefined) ??
          Math.max(...stats.map((one) => one.MetricStat?.Period ?? one.Period ?? 0));
        expect(period % 60).toBe(0);
        // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        expect(period * Number(EvaluationPeriods)).toBeLessThanOrEqual(period < 3600 ? 86_400 : 604_800);
      }
    },
  );
});

describe('a cluster with a census', () => {
  it('has alarms on its worst node, on growth everywhere, and on nodes that do not answer', () => {
    const { CDying, CGrowth, CUnanswered, ...others } = cluster(15);
    expect(others).toEqual({});
    expect(CDying).toMatchObject({
      MetricName: 'DyingCgroups',
      Dimensions: [{ Name: 'ClusterName', Value: 'prod' }],
      Statistic: 'Maximum',
      Period: 900,
      Threshold: 2000,
      EvaluationPeriods: 2,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    });
    expect(CGrowth).toMatchObject({ Threshold: 1000, EvaluationPeriods: 6 });
    expect(CGrowth?.Metrics).toContainEqual(expect.objectContaining({ Expression: 'RATE(average) * 86400' }));
    expect(JSON.stringify(CGrowth?.Metrics)).toContain('"Period":3600,"Stat":"Average"');
    expect(CUnanswered).toMatchObject({ Threshold: 20, EvaluationPeriods: 3 });
    expect(CUnanswered?.Metrics).toContainEqual(
      expect.objectContaining({ Expression: '100 * (nodes - answered) / nodes' }),
    );
  });

  it('has none of them where there is no census: nothing would ever be measured', () => {
    expect(cluster()).toEqual({});
  });
});
