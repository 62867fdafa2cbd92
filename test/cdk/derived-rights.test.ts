import { beforeAll, describe, expect, it } from 'vitest';
import { type BundleName, bundleNames } from '../../cdk/function-names.ts';
import { type Call, callsIn, callsOf } from './calls-of.ts';
import { list, type Right, statementsFor, statementsOf } from './rights-of.ts';
import { type Resource, resourcesOf, synthesize, type Template } from './template.ts';

/** Every way that a function can go is open, so that every call of its code needs its right. */
const vpc = { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-0123456789abcdef0'] };
const everything = {
  slack: { enabled: true, teamId: 'T012AB3CD' },
  clusters: {
    open: { api: { access: 'public' }, replacement: { enabled: true } },
    inside: { api: { access: 'vpc', vpc }, replacement: { enabled: true } },
  },
};

let template: Template;
beforeAll(() => {
  template = synthesize(everything);
});

/** Modules whose calls go to one table or log group: a right on another one does not serve them. */
const stores: Readonly<Record<string, string>> = {
  'lambdas/adapters/revised-item.ts': '<StateTable.Arn>',
  'lambdas/adapters/history-store.ts': '<StateTable.Arn>',
  'lambdas/adapters/lease-store.ts': '<StateTable.Arn>',
  'lambdas/adapters/pause-reader.ts': '<StateTable.Arn>',
  'lambdas/adapters/standing-reader.ts': '<StateTable.Arn>',
  'lambdas/adapters/standing-writer.ts': '<StateTable.Arn>',
  'lambdas/adapters/standing-end.ts': '<StateTable.Arn>',
  'lambdas/adapters/standing-list.ts': '<StateTable.Arn>',
  'lambdas/adapters/approval-reader.ts': '<StateTable.Arn>',
  'lambdas/adapters/approval-store.ts': '<StateTable.Arn>',
  'lambdas/adapters/slack-store.ts': '<StateTable.Arn>',
  'lambdas/adapters/raised-store.ts': '<StateTable.Arn>',
  'lambdas/adapters/second-look-store.ts': '<StateTable.Arn>',
  'lambdas/adapters/audit-trail.ts': '<AuditTable.Arn>',
  'lambdas/adapters/opening-chain.ts': '<AuditTable.Arn>',
  'lambdas/adapters/audit-log.ts': '<AuditLog.Arn>',
};

/** Rights of a role that the service uses, and no code of ours. */
const ofTheService: readonly { actions: RegExp; resource: RegExp; why: string }[] = [
  {
    actions: /^logs:(CreateLogStream|PutLogEvents)$/,
    resource: /^<(Functions|Clusters(Reader|Changer)|Intake|Slack|Census|ConsoleDoor|Sweeper)\w*Log\.Arn>$/,
    why: 'Lambda writes the log of the function',
  },
  {
    actions: /^sqs:(SendMessage|GetQueueAttributes|GetQueueUrl)$/,
    resource: /^<(Janitor|Census|Sweeper)DeadLetters\.Arn>$/,
    why: 'Lambda puts events there that the function did not manage; the CDK grants what its own senders use',
  },
  {
    actions: /^sqs:(ReceiveMessage|DeleteMessage|ChangeMessageVisibility|GetQueueAttributes|GetQueueUrl)$/,
    resource: /^<(Intake|Slack|Census)\w+\.Arn>$/,
    why: 'Lambda takes messages out of a queue for the function; the CDK grants what its own consumers use',
  },
  {
    actions:
      /^ec2:((Create|Describe|Delete)NetworkInterfaces?|DescribeSubnets|(Una|A)ssignPrivateIpAddresses)$/,
    resource: /^\*$/,
    why: 'Lambda keeps the network interfaces of a function in a VPC',
  },
];

/** `ACTION`, or `ACTION on STORE` where it is one of a store. */
function needed({ action, module }: Call): string {
  const store = stores[module];
  return store === undefined ? action : `${action} on ${store}`;
}

function granted({ action, resource }: Right): string {
  return /^(dynamodb|logs):/.test(action) ? `${action} on ${resource}` : action;
}

/** Functions of which every cluster has one of its own, by what their ids begin with. */
const perCluster: Partial<Record<BundleName, string>> = {
  'ask-cluster': 'ClustersReader',
  'change-node': 'ClustersChanger',
};

function functionsOf(name: BundleName): Resource[] {
  const functions = Object.entries(template.Resources).filter(
    ([id, { Type, Properties }]) =>
      Type === 'AWS::Lambda::Function' &&
      (name in perCluster
        ? id.startsWith(perCluster[name] ?? '')
        : Properties.FunctionName === `CgroupMedic-${name}`),
  );
  if (functions.length === 0) throw new Error(`the template has no function ${name}`);
  return functions.map(([, resource]) => resource);
}

function rightsFor(lambda: Resource): string[] {
  const rights = statementsFor(template, lambda.Properties.Role ?? null)
    .filter(({ effect }) => effect === 'Allow')
    .filter(
      ({ action, resource }) =>
        !ofTheService.some((exempt) => exempt.actions.test(action) && exempt.resource.test(resource)),
    );
  return [...new Set(rights.map(granted))].sort();
}

describe('the rights of a function are what its code calls, no more and no less:', () => {
  it.each(bundleNames)('%s', (name) => {
    const calls = [...new Set(callsOf(name).map(needed))].sort();
    for (const lambda of functionsOf(name)) expect(rightsFor(lambda)).toEqual(calls);
  });
});

describe('the calls of a bundle', () => {
  it('are the commands that are constructed in it, by what IAM calls them, and where', () => {
    const code = `import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { PutItemCommand as PutItemCommand2, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { SendTaskSuccessCommand } from "@aws-sdk/client-sfn";
// lambdas/adapters/a.ts
client.send(new InvokeCommand({})); client.send(new PutItemCommand2({})); new Map();
// lambdas/handlers/b.ts
await ec2Query("DescribeTags", {}); await ec2Query(
  "DescribeImages"); await client.send(new SendTaskSuccessCommand({})); await iamQuery("GetRole", {});`;
    expect(callsIn(code).map(({ action, module }) => `${action} ${module}`)).toEqual([
      'lambda:InvokeFunction lambdas/adapters/a.ts',
      'dynamodb:PutItem lambdas/adapters/a.ts',
      'states:SendTaskSuccess lambdas/handlers/b.ts',
      'ec2:DescribeTags lambdas/handlers/b.ts',
      'ec2:DescribeImages lambdas/handlers/b.ts',
      'iam:GetRole lambdas/handlers/b.ts',
    ]);
  });
});

describe('what nobody may do:', () => {
  const allowed = () =>
    resourcesOf(template, 'AWS::IAM::Policy')
      .flatMap(({ Properties }) => statementsOf(template, Properties.PolicyDocument))
      .filter(({ Effect }) => Effect === 'Allow')
      .flatMap(({ Action }) => list(Action).map(String));

  it('no role may pass or assume another, or change a role', () => {
    expect(allowed().length).toBeGreaterThan(100);
    expect(allowed().filter((action) => /^(iam|sts):(?!Get(Role|User)$)/.test(action))).toEqual([]);
  });

  it('no role may change or share what runs on nodes, or reach them in another way', () => {
    const reaching = /^ssm:(?!SendCommand$|CancelCommand$|Get|Describe|List)|^ec2:(Create|Delete)Tags$/;
    expect(allowed().filter((action) => reaching.test(action))).toEqual([]);
  });

  const senders = ['send-evidence', 'send-treatment', 'send-undo', 'janitor', 'census-start'] as const;
  const denied = (name: BundleName) =>
    functionsOf(name)
      .flatMap(({ Properties }) => statementsFor(template, Properties.Role ?? null))
      .filter(({ effect }) => effect === 'Deny');

  it('who may send commands is known', () => {
    const may = bundleNames.filter((name) =>
      rightsFor(functionsOf(name)[0] as Resource).includes('ssm:SendCommand'),
    );
    expect(may.sort()).toEqual([...senders].sort());
  });

  it.each(senders)('%s is denied every document but ours, and every instance of another cluster', (name) => {
    const send = denied(name).filter(({ action }) => action === 'ssm:SendCommand');
    const others = send.filter(({ not }) => not).map(({ resource }) => resource);
    const documents = others.filter((resource) => resource.includes(':document/'));
    const commands = resourcesOf(template, 'AWS::SSM::Document').filter(
      ({ Properties }) => Properties.DocumentType === 'Command',
    );
    expect(documents).toHaveLength(commands.length);
    expect(documents.every((resource) => /:document\/<Documents\w+>$/.test(resource))).toBe(true);
    expect(others.filter((resource) => !documents.includes(resource))).toEqual([
      'arn:aws:ec2:us-east-1:000000000000:instance/*',
    ]);
    expect(send.filter(({ not }) => !not)).toEqual([
      {
        effect: 'Deny',
        action: 'ssm:SendCommand',
        resource: 'arn:aws:ec2:us-east-1:000000000000:instance/*',
        not: false,
        condition: '{"StringNotEquals":{"ssm:resourceTag/eks:cluster-name":["open","inside"]}}',
      },
    ]);
  });

  it.each(senders)('%s is denied the ways round that', (name) => {
    const actions = denied(name)
      .filter(({ resource, condition }) => resource === '*' && condition === '')
      .map(({ action }) => action);
    expect(actions).toEqual(
      expect.arrayContaining([
        'ssm:UpdateDocument',
        'ssm:StartSession',
        'ec2:CreateTags',
        'iam:PassRole',
        'sts:AssumeRole',
      ]),
    );
  });
});
