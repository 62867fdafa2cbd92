/** One price of AWS, in US dollars, in us-east-1; most regions differ by less than a quarter. */
export type Price = {
  service: string;
  what: string;
  usd: number;
  /** Units that this price buys. */
  per: number;
  /** Month for which this price is known; where yours is later, look at the page. */
  asOf: string;
  source: string;
};

const lambda = { service: 'Lambda', asOf: '2025-11', source: 'https://aws.amazon.com/lambda/pricing/' };
const states = {
  service: 'Step Functions',
  asOf: '2025-11',
  source: 'https://aws.amazon.com/step-functions/pricing/',
};
const dynamo = {
  service: 'DynamoDB',
  asOf: '2025-11',
  source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
};
const cloudwatch = {
  service: 'CloudWatch',
  asOf: '2026-02',
  source: 'https://aws.amazon.com/cloudwatch/pricing/',
};
const million = 1_000_000;

/**
 * Every price that the estimate uses: the first tier of each, without what is free. Systems Manager (Run Command, standard parameters), events of AWS
 * services on EventBridge and what IAM does cost nothing, and are not here.
 */
export const prices = {
  lambdaRequest: { ...lambda, what: 'requests', usd: 0.2, per: million },
  lambdaGbSecond: { ...lambda, what: 'GB-seconds on arm64', usd: 13.3334, per: million },
  transition: { ...states, what: 'state transitions', usd: 0.025, per: 1000 },
  dynamoWrite: { ...dynamo, what: 'write request units', usd: 0.625, per: million },
  dynamoRead: { ...dynamo, what: 'read request units', usd: 0.125, per: million },
  dynamoGbMonth: { ...dynamo, what: 'GB-months, with point-in-time recovery', usd: 0.25 + 0.2, per: 1 },
  metric: { ...cloudwatch, what: 'custom metrics and months', usd: 0.3, per: 1 },
  metricAlarm: { ...cloudwatch, what: 'metrics of alarms', usd: 0.1, per: 1 },
  dashboard: { ...cloudwatch, what: 'dashboards', usd: 3, per: 1 },
  putMetric: { ...cloudwatch, what: 'PutMetricData requests', usd: 0.01, per: 1000 },
  getMetric: { ...cloudwatch, what: 'metrics asked for', usd: 0.01, per: 1000 },
  logGb: { ...cloudwatch, what: 'GB of logs taken in', usd: 0.5, per: 1 },
  logGbMonth: { ...cloudwatch, what: 'GB-months of logs kept', usd: 0.03, per: 1 },
  sqsRequest: {
    service: 'SQS',
    what: 'requests',
    usd: 0.4,
    per: million,
    asOf: '2025-11',
    source: 'https://aws.amazon.com/sqs/pricing/',
  },
  snsPublish: {
    service: 'SNS',
    what: 'messages published',
    usd: 0.5,
    per: million,
    asOf: '2025-11',
    source: 'https://aws.amazon.com/sns/pricing/',
  },
  snsMail: {
    service: 'SNS',
    what: 'mails',
    usd: 2,
    per: 100_000,
    asOf: '2025-11',
    source: 'https://aws.amazon.com/sns/pricing/',
  },
  kmsKey: {
    service: 'KMS',
    what: 'keys',
    usd: 1,
    per: 1,
    asOf: '2025-11',
    source: 'https://aws.amazon.com/kms/pricing/',
  },
  kmsSign: {
    service: 'KMS',
    what: 'signatures (ECC)',
    usd: 0.15,
    per: 10_000,
    asOf: '2025-11',
    source: 'https://aws.amazon.com/kms/pricing/',
  },
  schedule: {
    service: 'EventBridge Scheduler',
    what: 'invocations',
    usd: 1,
    per: million,
    asOf: '2025-11',
    source: 'https://aws.amazon.com/eventbridge/pricing/',
  },
  secret: {
    service: 'Secrets Manager',
    what: 'secrets',
    usd: 0.4,
    per: 1,
    asOf: '2025-11',
    source: 'https://aws.amazon.com/secrets-manager/pricing/',
  },
  trace: {
    service: 'X-Ray',
    what: 'traces',
    usd: 5,
    per: million,
    asOf: '2025-11',
    source: 'https://aws.amazon.com/xray/pricing/',
  },
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof prices;
