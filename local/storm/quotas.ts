/** What AWS allows an account in one region by default: a bucket of calls that fills again by so many each second. */
export type Quota = {
  /** What the quota counts: one call, or several that share it. */
  name: string;
  counts: RegExp;
  bucket: number;
  perSecond: number;
  source: string;
};

const ec2 = 'https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html';
const stepFunctions = 'https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html';

/**
 * Where regions differ, the smaller. Most of them can be raised. Where AWS publishes none, there is none here: SSM names no rate
 * for SendCommand, GetCommandInvocation and DescribeDocument; DynamoDB counts what is read and written, and not calls.
 */
export const quotas: readonly Quota[] = [
  {
    name: 'ec2 DescribeInstances',
    counts: /^ec2:DescribeInstances$/,
    bucket: 100,
    perSecond: 20,
    source: `${ec2}, non-mutating actions that are filtered or paginated`,
  },
  {
    name: 'ec2 DescribeTags',
    counts: /^ec2:DescribeTags$/,
    bucket: 100,
    perSecond: 20,
    source: `${ec2}, non-mutating actions`,
  },
  {
    name: 'ec2 GetConsoleOutput',
    counts: /^ec2:GetConsoleOutput$/,
    bucket: 100,
    perSecond: 20,
    source: `${ec2}, non-mutating actions`,
  },
  {
    name: 'ssm GetParameter',
    counts: /^ssm:GetParameter$/,
    bucket: 40,
    perSecond: 40,
    source:
      'https://docs.aws.amazon.com/general/latest/gr/ssm.html, Parameter Store, default throughput (shared)',
  },
  {
    name: 'logs CreateLogStream',
    counts: /^logs:CreateLogStream$/,
    bucket: 50,
    perSecond: 50,
    source: 'https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html',
  },
  {
    name: 'logs PutLogEvents',
    counts: /^logs:PutLogEvents$/,
    bucket: 5000,
    perSecond: 5000,
    source: 'https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html',
  },
  {
    name: 'kms Sign',
    counts: /^kms:Sign$/,
    bucket: 1000,
    perSecond: 1000,
    source:
      'https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html, elliptic curve keys (shared)',
  },
  {
    name: 'states StartExecution',
    counts: /^states:StartExecution$/,
    bucket: 800,
    perSecond: 150,
    source: `${stepFunctions}, the regions with less`,
  },
  {
    name: 'states state transitions',
    counts: /^states:StateTransition$/,
    bucket: 800,
    perSecond: 500,
    source: `${stepFunctions}, the regions with less`,
  },
  {
    name: 'lambda Invoke',
    counts: /^lambda:Invoke$/,
    bucket: 10_000,
    perSecond: 10_000,
    source:
      'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, ten times the concurrency of 1,000',
  },
  {
    name: 'sns Publish',
    counts: /^sns:Publish$/,
    bucket: 300,
    perSecond: 300,
    source: 'https://docs.aws.amazon.com/general/latest/gr/sns.html, the regions with least',
  },
  {
    name: 'cloudwatch PutMetricData',
    counts: /^cloudwatch:PutMetricData$/,
    bucket: 500,
    perSecond: 500,
    source: 'https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html',
  },
];
