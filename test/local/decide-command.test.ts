import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Cloud, startCloud } from '../../local/cloud/cloud.ts';
import type { Json, JsonObject } from '../../local/engine/json.ts';
import { TaskError } from '../../local/engine/task-error.ts';
import { render, resourcesOf, synthesize } from '../cdk/template.ts';
import { emptyStack } from './cloud/test-stack.ts';
import { runCommand } from './run-command.ts';

// A process each, with other test files on the same cores.
vi.setConfig({ testTimeout: 120_000 });

const approvalId = 'i-0123456789abcdef0-0a1b2c-r0-v0';

/** The deployed runbook, with a door that the test holds. */
function runbook(): JsonObject {
  const template = synthesize();
  const { Content } = render(
    template,
    resourcesOf(template, 'AWS::SSM::Document').find(
      ({ Properties }) => Properties.Name === 'CgroupMedic-decide',
    )?.Properties ?? {},
  ) as { Content: { mainSteps: [{ inputs: JsonObject } & JsonObject] } & JsonObject };
  const [step] = Content.mainSteps;
  return { ...Content, mainSteps: [{ ...step, inputs: { ...step.inputs, FunctionName: 'door' } }] };
}

let cloud: Cloud;
let door: (payload: Json) => Json;
const handed: Json[] = [];
beforeAll(async () => {
  cloud = await startCloud({
    stack: {
      ...emptyStack,
      name: 'CgroupMedic',
      documents: [{ logicalId: 'D', name: 'CgroupMedic-decide', content: runbook() }],
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

const decide = (args: string[], env: Record<string, string> = {}) =>
  runCommand('decide.ts', args, cloud, env);

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

  it('says what a denial comes to', async () => {
    door = () => recorded('denied', 1, 1);
    const { stdout, code } = await decide([approvalId, 'deny', '--reason', 'not tonight']);
    expect({ stdout, code }).toEqual({
      stdout: `denied: ${approvalId}, decided by alice at the AWS console. Nothing is done to the node, and the incident closes.\n`,
      code: 0,
    });
    expect(handed).toMatchObject([{ decision: 'deny', reason: 'not tonight' }]);
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
