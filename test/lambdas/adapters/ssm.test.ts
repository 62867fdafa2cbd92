import {
  CancelCommandCommand,
  DescribeDocumentCommand,
  GetCommandInvocationCommand,
  GetDocumentCommand,
  GetParameterCommand,
  InvocationDoesNotExist,
  ParameterNotFound,
  SendCommandCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { readMode } from '../../../lambdas/adapters/mode-parameter.ts';
import { cancelCommand, lookAtCommand, sendCommand } from '../../../lambdas/adapters/ssm-commands.ts';
import { DocumentChangedError, pinDocument } from '../../../lambdas/adapters/ssm-documents.ts';
import { digestOf } from '../../../lambdas/domain/canonical-json.ts';

const ssm = mockClient(SSMClient);
const client = new SSMClient({ region: 'us-east-1' });
const content = {
  schemaVersion: '2.2',
  mainSteps: [{ inputs: { timeoutSeconds: '30' } }, { inputs: { timeoutSeconds: 5 } }],
};
const reference = { name: 'stack-reclaim', contentDigest: digestOf(content) };

beforeEach(() => {
  ssm.reset();
  ssm.on(GetDocumentCommand).resolves({ Content: JSON.stringify(content, null, 2), DocumentVersion: '7' });
  ssm.on(DescribeDocumentCommand).resolves({ Document: { Hash: 'abc', HashType: 'Sha256' } });
});

describe('pinDocument', () => {
  it('pins the version whose content is the deployed one, by the hash of the service', async () => {
    const pinned = await pinDocument(client, reference);

    expect(pinned).toMatchObject({ version: '7', hash: 'abc', timeoutSeconds: 35 });
    expect(ssm.commandCalls(DescribeDocumentCommand)[0]?.args[0].input.DocumentVersion).toBe('7');
  });

  it('refuses a document that somebody changed, and says which version', async () => {
    ssm
      .on(GetDocumentCommand)
      .resolves({ Content: JSON.stringify({ ...content, extra: 1 }), DocumentVersion: '8' });

    await expect(pinDocument(client, reference)).rejects.toThrow(DocumentChangedError);
    await expect(pinDocument(client, reference)).rejects.toThrow(/stack-reclaim, version 8, is not the one/);
  });

  it.each([{ Document: {} }, { Document: { Hash: 'abc', HashType: 'Sha1' as const } }])(
    'refuses a document that cannot be pinned: %o',
    async (answer) => {
      ssm.on(DescribeDocumentCommand).resolves(answer);

      await expect(pinDocument(client, reference)).rejects.toThrow(/without a SHA-256 hash/);
    },
  );

  it.each([{ Content: '{}' }, { DocumentVersion: '7' }])(
    'refuses an answer without a version or content: %o',
    async (answer) => {
      ssm.on(GetDocumentCommand).resolves(answer);

      await expect(pinDocument(client, reference)).rejects.toThrow(/without a version or content/);
    },
  );
});

describe('sendCommand', () => {
  it('sends exactly the pinned document to the one instance', async () => {
    ssm.on(SendCommandCommand).resolves({ Command: { CommandId: 'c-1' } });
    const document = await pinDocument(client, reference);

    const request = {
      document,
      instanceId: 'i-0123456789abcdef0',
      arguments: { slices: '/a /b' },
      deliverySeconds: 60,
      comment: 'x'.repeat(200),
    };
    const id = await sendCommand(client, request);

    expect(id).toBe('c-1');
    expect(ssm.commandCalls(SendCommandCommand)[0]?.args[0].input).toEqual({
      DocumentName: 'stack-reclaim',
      DocumentVersion: '7',
      DocumentHash: 'abc',
      DocumentHashType: 'Sha256',
      InstanceIds: ['i-0123456789abcdef0'],
      Parameters: { slices: ['/a /b'] },
      TimeoutSeconds: 60,
      Comment: 'x'.repeat(100),
    });
    ssm.on(SendCommandCommand).resolves({ Command: {} });
    await expect(sendCommand(client, request)).rejects.toThrow('answered without an id');
  });
});

describe('cancelCommand', () => {
  it('asks the one instance, not every node that has the command', async () => {
    await cancelCommand(client, 'c-1', 'i-0123456789abcdef0');

    expect(ssm.commandCalls(CancelCommandCommand)[0]?.args[0].input).toEqual({
      CommandId: 'c-1',
      InstanceIds: ['i-0123456789abcdef0'],
    });
  });
});

describe('lookAtCommand', () => {
  it.each([
    ['Pending', 'Pending', 'running'],
    ['InProgress', 'InProgress', 'running'],
    ['Cancelling', 'Cancelling', 'running'],
    ['Delayed', 'Delayed', 'running'],
    ['Success', 'Success', 'succeeded'],
    ['Failed', 'Failed', 'failed'],
    ['Cancelled', 'Cancelled', 'failed'],
    ['TimedOut', 'Execution Timed Out', 'timed-out'],
    ['TimedOut', 'Delivery Timed Out', 'no-answer'],
    ['TimedOut', 'DeliveryTimedOut', 'no-answer'],
    ['Failed', 'Undeliverable', 'no-answer'],
    ['Failed', 'Invalid Platform', 'no-answer'],
    ['Failed', 'Access Denied', 'no-answer'],
    ['Failed', 'Terminated', 'failed'],
  ] as const)('reads %s, %s as %s', async (Status, StatusDetails, expected) => {
    ssm.on(GetCommandInvocationCommand).resolves({ Status, StatusDetails, ResponseCode: 1 });

    expect(await lookAtCommand(client, 'c', 'i')).toMatchObject({ status: expected });
  });

  it('waits for a command that the service does not know yet', async () => {
    ssm.on(GetCommandInvocationCommand).rejects(new InvocationDoesNotExist({ message: '', $metadata: {} }));

    expect(await lookAtCommand(client, 'c', 'i')).toEqual({ status: 'running' });
  });

  it('does not take any other error for a command that runs', async () => {
    ssm.on(GetCommandInvocationCommand).rejects(new Error('AccessDenied'));

    await expect(lookAtCommand(client, 'c', 'i')).rejects.toThrow('AccessDenied');
  });

  it('hands over what a command printed, also one that failed', async () => {
    ssm.on(GetCommandInvocationCommand).resolves({
      Status: 'Failed',
      StatusDetails: 'Failed',
      ResponseCode: 1,
      StandardOutputContent: '{"error":"x"}',
    });

    expect(await lookAtCommand(client, 'c', 'i')).toEqual({
      status: 'failed',
      responseCode: 1,
      output: '{"error":"x"}',
      reason: 'Failed',
    });
  });

  it('gives the last line of what went wrong as the reason', async () => {
    ssm.on(GetCommandInvocationCommand).resolves({
      Status: 'Failed',
      StatusDetails: 'Failed',
      StandardErrorContent: 'first\nno such slice\n',
    });

    expect((await lookAtCommand(client, 'c', 'i')).reason).toBe('Failed: no such slice');
  });
});

describe('readMode', () => {
  it('reads the parameter of the cluster', async () => {
    ssm
      .on(GetParameterCommand, { Name: '/cgroup-medic/prod/mode' })
      .resolves({ Parameter: { Value: 'auto' } });

    expect(await readMode(client, '/cgroup-medic', 'prod', () => {})).toBe('auto');
  });

  it('gives nothing, and the reason to the log, when it cannot be read', async () => {
    ssm.on(GetParameterCommand).rejects(new ParameterNotFound({ message: 'gone', $metadata: {} }));
    const onError = vi.fn();

    expect(await readMode(client, '/cgroup-medic', 'prod', onError)).toBeUndefined();
    expect(onError).toHaveBeenCalledOnce();
  });
});
