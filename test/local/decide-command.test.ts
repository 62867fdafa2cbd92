import { spawn } from 'node:child_process';
import { devNull } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { approvalIdPattern, consoleReasonPattern } from '../../lambdas/domain/approval/approval-id.ts';
import { type Cloud, startCloud } from '../../local/cloud/cloud.ts';
import type { Json } from '../../local/engine/json.ts';
import { TaskError } from '../../local/engine/task-error.ts';
import { emptyStack } from './cloud/test-stack.ts';

// A process each, with other test files on the same cores.
vi.setConfig({ testTimeout: 120_000 });

const root = resolve(import.meta.dirname, '../..');
const approvalId = 'i-0123456789abcdef0-0a1b2c-r0-v0';
/** What the deployed one is like (test/cdk/decide-runbook.test.ts); console.test.ts runs that. */
const content = {
  schemaVersion: '0.3',
  parameters: {
    ApprovalId: { type: 'String', allowedPattern: approvalIdPattern },
    Decision: { type: 'String', allowedValues: ['approve', 'deny'] },
    Reason: { type: 'String', default: '', allowedPattern: consoleReasonPattern },
  },
  mainSteps: [
    {
      name: 'decide',
      action: 'aws:invokeLambdaFunction',
      timeoutSeconds: 60,
      maxAttempts: 1,
      onFailure: 'Abort',
      isEnd: true,
      inputs: {
        FunctionName: 'door',
        InvocationType: 'RequestResponse',
        InputPayload: {
          approvalId: '{{ ApprovalId }}',
          decision: '{{ Decision }}',
          reason: '{{ Reason }}',
          executionId: '{{ automation:EXECUTION_ID }}',
        },
      },
    },
  ],
  outputs: ['decide.Payload'],
};

let cloud: Cloud;
let door: (payload: Json) => Json;
const handed: Json[] = [];
beforeAll(async () => {
  cloud = await startCloud({
    stack: {
      ...emptyStack,
      name: 'CgroupMedic',
      documents: [{ logicalId: 'D', name: 'CgroupMedic-decide', content }],
      outputs: { DecideDocumentName: 'CgroupMedic-decide' },
    },
    invoke: async (_, payload) => {
      handed.push(payload);
      return door(payload);
    },
  });
});
afterAll(() => cloud?.close());
beforeEach(() => {
  handed.length = 0;
  door = () => recorded('approved', 1, 1);
});

const recorded = (status: string, decisions: number, quorum: number): Json => ({
  status: 'recorded',
  approvalId,
  person: 'alice',
  approval: { status, decisions, quorum },
});
const failing = (errorType: string, errorMessage: string) => (): never => {
  throw new TaskError(errorType, JSON.stringify({ errorType, errorMessage, trace: [] }));
};

/** `npm run decide -- …`, with the configuration of AWS that the environment has. */
async function decide(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['bin/run.mjs', 'local/decide.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: join(root, 'nowhere'),
      AWS_ENDPOINT_URL: cloud.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'LOCALONLY',
      AWS_SECRET_ACCESS_KEY: 'local-only',
      AWS_CONFIG_FILE: devNull,
      AWS_SHARED_CREDENTIALS_FILE: devNull,
      AWS_EC2_METADATA_DISABLED: 'true',
      ...env,
    },
  });
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, code };
}

describe('npm run decide', () => {
  it('runs the runbook that the stack names, and says in a sentence what came of it', async () => {
    const { stdout, stderr, code } = await decide([approvalId, 'approve', '--reason', 'looks right']);

    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toBe(
      `approved: ${approvalId}, decided by alice at the AWS console. The node is looked at again, and treated if it is still as it was.\n`,
    );
    expect(handed).toEqual([
      {
        approvalId,
        decision: 'approve',
        reason: 'looks right',
        executionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    ]);
  });

  it('says how many people lack of a quorum', async () => {
    door = () => recorded('pending', 1, 2);
    const { stdout } = await decide([approvalId, 'approve']);
    expect(stdout).toContain('recorded: 1 of 2 have approved');
    expect(stdout).toContain('1 more has to.');
  });

  it('prints the answer for machines, and needs to read no stack where the runbook is given', async () => {
    const before = cloud.calls.filter(({ service }) => service === 'cloudformation').length;
    const { stdout, code } = await decide([
      approvalId,
      'approve',
      '--document',
      'CgroupMedic-decide',
      '--json',
    ]);

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(recorded('approved', 1, 1));
    expect(cloud.calls.filter(({ service }) => service === 'cloudformation')).toHaveLength(before);
  });

  it('says why a decision was refused, in its words alone, with an exit code of its own', async () => {
    door = failing('Refused', 'there is no approval "x"; somebody\nmeant another');
    const { stdout, stderr, code } = await decide([approvalId, 'approve']);
    expect({ stdout, stderr, code }).toEqual({
      stdout: '',
      stderr: 'refused: there is no approval "x"; somebody\nmeant another\n',
      code: 3,
    });
  });

  it('does not take a failure, or an answer that is none, for a refusal or a decision', async () => {
    door = failing('Sandbox.Timedout', 'Task timed out after 30.00 seconds');
    const failed = await decide([approvalId, 'approve']);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('ended as Failed, and whether the decision was recorded is not known: ');
    expect(failed.stderr).toContain('Task timed out');

    door = () => ({ status: 'fine' });
    const odd = await decide([approvalId, 'approve']);
    expect(odd.code).toBe(1);
    expect(odd.stderr).toContain('ended as Success, and whether the decision was recorded is not known');
  });

  it.each([
    ['no decision', [approvalId], 'an approval and one decision are needed'],
    ['two approvals', [approvalId, 'approve', 'x'], 'an approval and one decision are needed'],
    ['another decision', [approvalId, 'yes'], 'the decision is "yes": must be approve or deny'],
    ['what is no id', ['$(x)', 'approve'], 'APPROVAL_ID is "$(x)": must be the id of an approval'],
    ['a denial without a reason', [approvalId, 'deny'], '--reason is needed with deny'],
    [
      'a reason with quotes',
      [approvalId, 'deny', '--reason', '"no"'],
      '--reason is ""no"": must be at most 200',
    ],
    ['a flag that there is not', [approvalId, 'approve', '--force'], "Unknown option '--force'"],
  ])('refuses %s, says which value is wrong, and how it is used', async (_, args, message) => {
    const { stdout, stderr, code } = await decide(args);

    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain(message);
    expect(stderr).toContain('usage: npm run decide -- APPROVAL_ID');
    expect(handed).toEqual([]);
  });

  it.each<[string, string[], Record<string, string>, string]>([
    ['a stack that there is not', ['--stack', 'Other'], {}, 'the outputs of the stack Other cannot be read'],
    [
      'a runbook that there is not',
      ['--document', 'other'],
      {},
      'nothing was decided: the runbook other cannot be started: AutomationDefinitionNotFoundException',
    ],
    [
      'nobody who is logged in',
      [],
      { AWS_ACCESS_KEY_ID: '' },
      '(log in first ("aws sso login"), or give --profile)',
    ],
    ['no region', [], { AWS_REGION: '' }, '(give --region, or set AWS_REGION)'],
  ])('says in one sentence what to do about %s', async (_, more, env, message) => {
    const { stdout, stderr, code } = await decide([approvalId, 'approve', ...more], env);

    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
