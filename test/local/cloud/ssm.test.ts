import { createHash } from 'node:crypto';
import {
  CancelCommandCommand,
  DescribeDocumentCommand,
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  type GetCommandInvocationCommandOutput,
  GetDocumentCommand,
  GetParameterCommand,
  InvocationDoesNotExist,
  ParameterNotFound,
  SendCommandCommand,
  type SendCommandCommandInput,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, startCloud } from '../../../local/cloud/cloud.ts';
import { runDocument } from '../../../local/node/ssm-agent.ts';
import { clientConfig, emptyStack } from './test-stack.ts';

const instanceId = 'i-0123456789abcdef0';
const step = (name: string, runCommand: string[]) => ({
  action: 'aws:runShellScript',
  name,
  inputs: { timeoutSeconds: '10', runCommand },
});
const content = {
  schemaVersion: '2.2',
  parameters: {
    what: { type: 'String', allowedValues: ['fine', 'fail', 'long'], interpolationType: 'ENV_VAR' },
  },
  mainSteps: [
    step('run', [
      'case $SSM_what in',
      'fail) echo broken >&2; exit 3 ;;',
      'long) sleep 30 ;;',
      'esac',
      'echo "ran $SSM_what"',
    ]),
  ],
};
const two = { schemaVersion: '2.2', mainSteps: [step('first', ['echo 1']), step('second', ['echo 2'])] };

let cloud: Cloud;
let ssm: SSMClient;

beforeAll(async () => {
  cloud = await startCloud({
    stack: {
      ...emptyStack,
      documents: [
        { logicalId: 'D', name: 'doc', content },
        { logicalId: 'E', name: 'two', content: two },
      ],
      parameters: [{ logicalId: 'P', name: '/mode', type: 'String', value: 'auto' }],
    },
  });
  cloud.ssm.attach({
    instanceId,
    run: (document, parameters, signal) => runDocument({ content: document, parameters, signal }),
  });
  const wide = {
    status: 'Success',
    responseCode: 0,
    stdout: 'x'.repeat(30_000),
    stderr: 'y'.repeat(10_000),
  } as const;
  cloud.ssm.attach({ instanceId: 'i-wide', run: async () => wide });
  cloud.ssm.attach({ instanceId: 'i-offline', online: false, run: () => Promise.reject(new Error('never')) });
  ssm = new SSMClient(clientConfig(cloud));
});
afterAll(() => cloud?.close());

async function send(what: string, rest: Partial<SendCommandCommandInput> = {}): Promise<string> {
  const { Command } = await ssm.send(
    new SendCommandCommand({
      DocumentName: 'doc',
      InstanceIds: [instanceId],
      Parameters: { what: [what] },
      ...rest,
    }),
  );
  return Command?.CommandId ?? '';
}

function look(CommandId: string, InstanceId = instanceId): Promise<GetCommandInvocationCommandOutput> {
  return ssm.send(new GetCommandInvocationCommand({ CommandId, InstanceId }));
}

async function ended(id: string, on = instanceId): Promise<GetCommandInvocationCommandOutput> {
  await expect
    .poll(async () => (await look(id, on).catch(() => undefined))?.Status, { timeout: 10_000 })
    .toMatch(/Success|Failed|TimedOut|Cancelled/);
  return look(id, on);
}

describe('documents and parameters', () => {
  it('are those of the template, with version and hash', async () => {
    const { Content = '', DocumentVersion } = await ssm.send(
      new GetDocumentCommand({ Name: 'doc', DocumentFormat: 'JSON' }),
    );
    expect(JSON.parse(Content)).toEqual(content);
    const { Document } = await ssm.send(new DescribeDocumentCommand({ Name: 'doc' }));
    expect(Document).toMatchObject({
      DocumentVersion,
      HashType: 'Sha256',
      Hash: createHash('sha256').update(Content).digest('hex'),
    });
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: '/mode' }));
    expect(Parameter).toMatchObject({ Name: '/mode', Value: 'auto', Type: 'String' });
  });

  it('that are not there are errors', async () => {
    await expect(ssm.send(new GetDocumentCommand({ Name: 'none' }))).rejects.toMatchObject({
      name: 'InvalidDocument',
    });
    await expect(ssm.send(new GetParameterCommand({ Name: '/none' }))).rejects.toBeInstanceOf(
      ParameterNotFound,
    );
  });

  it('can be changed: a parameter at once, a document as a new version', async () => {
    cloud.ssm.putParameter('/mode', 'observe');
    expect((await ssm.send(new GetParameterCommand({ Name: '/mode' }))).Parameter?.Value).toBe('observe');
    cloud.ssm.putDocument('changing', { ...content });
    cloud.ssm.putDocument('changing', { ...content, description: 'changed' });
    expect((await ssm.send(new GetDocumentCommand({ Name: 'changing' }))).DocumentVersion).toBe('2');
  });
});

describe('a command', () => {
  it('is not visible at once, then runs, and its result can be asked for', async () => {
    const id = await send('fine');
    await expect(look(id)).rejects.toBeInstanceOf(InvocationDoesNotExist);
    expect(await ended(id)).toMatchObject({
      Status: 'Success',
      StatusDetails: 'Success',
      ResponseCode: 0,
      StandardOutputContent: 'ran fine\n',
      DocumentName: 'doc',
      PluginName: 'run',
    });
  });

  it('that fails says so, with its exit code and error output', async () => {
    expect(await ended(await send('fail'))).toMatchObject({
      Status: 'Failed',
      ResponseCode: 3,
      StandardErrorContent: 'broken\n',
    });
  });

  it('has no more output than the service keeps', async () => {
    const { StandardOutputContent, StandardErrorContent } = await ended(
      await send('fine', { InstanceIds: ['i-wide'] }),
      'i-wide',
    );
    expect(StandardOutputContent).toHaveLength(24_000);
    expect(StandardErrorContent).toHaveLength(8_000);
  });

  it('can be cancelled', async () => {
    const id = await send('long');
    await expect.poll(async () => (await look(id).catch(() => undefined))?.Status).toBe('InProgress');
    await ssm.send(new CancelCommandCommand({ CommandId: id, InstanceIds: [instanceId] }));
    expect(await ended(id)).toMatchObject({ Status: 'Cancelled' });
  });

  it('to a node that is offline stays pending', async () => {
    const id = await send('fine', { InstanceIds: ['i-offline'] });
    await expect
      .poll(async () => (await look(id, 'i-offline').catch(() => undefined))?.Status)
      .toBe('Pending');
  });

  it('of several steps is asked about by the name of one', async () => {
    const id = await send('fine', { DocumentName: 'two', Parameters: {} });
    await expect.poll(() => look(id).catch(({ name }) => name)).toBe('InvalidPluginName');
    const first = new GetCommandInvocationCommand({
      CommandId: id,
      InstanceId: instanceId,
      PluginName: 'first',
    });
    expect((await ssm.send(first)).PluginName).toBe('first');
  });

  it('pins version and hash of its document', async () => {
    const { Document } = await ssm.send(new DescribeDocumentCommand({ Name: 'doc' }));
    const pinned = {
      DocumentVersion: '1',
      DocumentHash: Document?.Hash,
      DocumentHashType: 'Sha256',
    } as const;
    expect(await ended(await send('fine', pinned))).toMatchObject({ Status: 'Success' });
  });

  it.each<[string, Partial<SendCommandCommandInput>, string, RegExp]>([
    ['another version', { DocumentVersion: '7' }, 'InvalidDocumentVersion', /7/],
    ['another hash', { DocumentHash: 'a'.repeat(64) }, 'InvalidDocument', /hash/],
    ['a value that is not allowed', { Parameters: { what: ['rm -rf'] } }, 'InvalidParameters', /what/],
    ['an unknown parameter', { Parameters: { what: ['fine'], other: ['x'] } }, 'InvalidParameters', /other/],
    ['a missing parameter', { Parameters: {} }, 'InvalidParameters', /what/],
    ['an unknown instance', { InstanceIds: ['i-none'] }, 'InvalidInstanceId', /i-none/],
    ['too short a time for delivery', { TimeoutSeconds: 5 }, 'ValidationException', /30/],
  ])('is refused for %s', async (_, rest, name, message) => {
    await expect(send('fine', rest)).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });
});

it('names a call that it does not answer', async () => {
  await expect(ssm.send(new DescribeInstanceInformationCommand({}))).rejects.toThrow(
    'the local cloud does not answer ssm:DescribeInstanceInformation; see local/cloud/ssm.ts',
  );
});
