import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Cloud, startCloud } from '../../local/cloud/cloud.ts';
import { localSender } from '../../local/cloud/sqs.ts';
import { emptyStack } from './cloud/test-stack.ts';
import { runCommand } from './run-command.ts';

// A process each, with other test files on the same cores.
vi.setConfig({ testTimeout: 120_000 });

const queueUrl = 'https://sqs.us-east-1.amazonaws.com/000000000000/by-hand';
const instanceId = 'i-0123456789abcdef0';

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({
    stack: {
      ...emptyStack,
      name: 'CgroupMedic',
      queues: [{ logicalId: 'Q', url: queueUrl, arn: 'arn:aws:sqs:us-east-1:000000000000:by-hand' }],
      outputs: { ByHandQueueUrl: queueUrl, StateMachineArn: 'arn:of-the-machine' },
    },
  });
});
afterAll(() => cloud?.close());

const remediate = (args: string[], env: Record<string, string> = {}) =>
  runCommand('remediate.ts', args, cloud, env);

const sent = () =>
  cloud.queues.take(queueUrl).map(({ body, senderId }) => ({ senderId, ...JSON.parse(body) }));

describe('npm run remediate', () => {
  it('puts the request into the queue that the stack names, and says how to follow it', async () => {
    const { stdout, stderr, code } = await remediate([
      instanceId,
      '--cluster',
      'prod',
      '--reason',
      'slow since noon',
    ]);

    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toContain(`asked for an incident on ${instanceId} of prod: message `);
    expect(stdout).toContain(
      `--state-machine-arn arn:of-the-machine --query "executions[?starts_with(name, '${instanceId}-')]"`,
    );
    expect(sent()).toEqual([
      {
        senderId: localSender,
        source: 'by-hand',
        received: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        payload: { instanceId, cluster: 'prod', reason: 'slow since noon' },
      },
    ]);
  });

  it('needs to read no stack where the queue is given', async () => {
    const before = cloud.calls.filter(({ service }) => service === 'cloudformation').length;
    const { stdout, code } = await remediate([
      instanceId,
      '--cluster',
      'prod',
      '--queue-url',
      queueUrl,
      '--json',
    ]);

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sent: true, queueUrl, message: { payload: { instanceId } } });
    expect(sent()).toHaveLength(1);
    expect(cloud.calls.filter(({ service }) => service === 'cloudformation')).toHaveLength(before);
  });

  it('calls nobody in a dry run, and prints what it would send', async () => {
    const calls = cloud.calls.length;
    const { stdout, code } = await remediate([instanceId, '--cluster', 'prod', '--dry-run', '--json'], {
      AWS_REGION: '',
      AWS_ACCESS_KEY_ID: '',
    });

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      sent: false,
      queue: 'the output ByHandQueueUrl of the stack CgroupMedic',
      message: { source: 'by-hand', payload: { instanceId, cluster: 'prod' } },
    });
    expect(cloud.calls).toHaveLength(calls);
    expect(sent()).toEqual([]);
  });

  it.each([
    ['no instance', ['--cluster', 'prod'], 'one instance is needed, and none was given'],
    [
      'two instances',
      [instanceId, instanceId, '--cluster', 'prod'],
      'one instance is needed, and 2 were given',
    ],
    [
      'the name of a node',
      ['ip-10-0-1-23.ec2.internal', '--cluster', 'prod'],
      'INSTANCE is "ip-10-0-1-23.ec2.internal": must be an EC2 instance id',
    ],
    ['no cluster', [instanceId], '--cluster is needed'],
    [
      'what is no cluster',
      [instanceId, '--cluster', '../prod'],
      '--cluster is "../prod": must be an EKS cluster name',
    ],
    ['too many words', [instanceId, '--cluster', 'prod', '--reason', 'x'.repeat(501)], '--reason is "xxx'],
    [
      'what is no URL',
      [instanceId, '--cluster', 'prod', '--queue-url', 'by-hand'],
      '--queue-url is "by-hand"',
    ],
    ['a flag that there is not', [instanceId, '--cluster', 'prod', '--force'], "Unknown option '--force'"],
  ])('refuses %s, says which value is wrong, and how it is used', async (_, args, message) => {
    const { stdout, stderr, code } = await remediate(args);

    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain(message);
    expect(stderr).toContain('usage: npm run remediate -- INSTANCE');
    expect(sent()).toEqual([]);
  });

  it.each([
    [
      'a stack that there is not',
      ['--stack', 'Other'],
      {},
      'the outputs of the stack Other cannot be read: ValidationError: Stack with id Other does not exist (is it deployed',
    ],
    [
      'a queue that there is not',
      ['--queue-url', `${queueUrl}-not`],
      {},
      `nothing was sent: ${queueUrl}-not does not take it: QueueDoesNotExist`,
    ],
    [
      'nobody who is logged in',
      [],
      { AWS_ACCESS_KEY_ID: '' },
      '(log in first ("aws sso login"), or give --profile)',
    ],
    ['no region', [], { AWS_REGION: '' }, '(give --region, or set AWS_REGION)'],
  ])('says in one sentence what to do about %s', async (_, more, env, message) => {
    const { stdout, stderr, code } = await remediate(
      [instanceId, '--cluster', 'prod', ...more],
      env as Record<string, string>,
    );

    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
