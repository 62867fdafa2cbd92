import { beforeAll, describe, expect, it } from 'vitest';
import { approvalIdPattern, consoleReasonPattern } from '../../lambdas/domain/approval/approval-id.ts';
import type { JsonObject } from '../../local/engine/json.ts';
import { hostileValues } from '../ssm-documents/hostile-values.ts';
import { list, rightsOf, statementsOf } from './rights-of.ts';
import { functionNamed, render, resourcesOf, synthesize, type Template } from './template.ts';

let template: Template;
beforeAll(() => {
  template = synthesize();
});

const door = 'arn:aws:lambda:us-east-1:000000000000:function:CgroupMedic-decide-at-console';
const document = 'arn:aws:ssm:us-east-1:000000000000:document/CgroupMedic-decide';
const executions = 'arn:aws:ssm:us-east-1:000000000000:automation-execution/*';
const runbook = () =>
  render(
    template,
    resourcesOf(template, 'AWS::SSM::Document').find(
      ({ Properties }) => Properties.Name === 'CgroupMedic-decide',
    )?.Properties ?? {},
  ) as JsonObject & { Content: JsonObject & { parameters: Record<string, JsonObject> } };

describe('the runbook', () => {
  it('has no role of its own: it runs with the rights of whoever starts it', () => {
    const { DocumentType, UpdateMethod, Content } = runbook();
    expect({ DocumentType, UpdateMethod }).toEqual({
      DocumentType: 'Automation',
      UpdateMethod: 'NewVersion',
    });
    expect(Content.schemaVersion).toBe('0.3');
    expect(Content).not.toHaveProperty('assumeRole');
  });

  it('hands its parameters and its own execution to the door, and gives out what came of it', () => {
    const { mainSteps, outputs } = runbook().Content;
    expect(mainSteps).toEqual([
      {
        name: 'decide',
        action: 'aws:invokeLambdaFunction',
        timeoutSeconds: 60,
        maxAttempts: 1,
        onFailure: 'Abort',
        isEnd: true,
        inputs: {
          FunctionName: '<ConsoleDoor>',
          InvocationType: 'RequestResponse',
          InputPayload: {
            approvalId: '{{ ApprovalId }}',
            decision: '{{ Decision }}',
            reason: '{{ Reason }}',
            executionId: '{{ automation:EXECUTION_ID }}',
          },
        },
      },
    ]);
    expect(outputs).toEqual(['decide.Payload']);
  });

  it('takes an id, one of two decisions, and a reason that is not needed', () => {
    const { ApprovalId, Decision, Reason, ...more } = runbook().Content.parameters;
    expect(more).toEqual({});
    expect(ApprovalId).toMatchObject({ allowedPattern: approvalIdPattern });
    expect(ApprovalId).not.toHaveProperty('default');
    expect(Decision).toMatchObject({ allowedValues: ['approve', 'deny'] });
    expect(Decision).not.toHaveProperty('default');
    expect(Reason).toMatchObject({ default: '', allowedPattern: consoleReasonPattern });
  });
});

describe('what is pasted as text', () => {
  const values = hostileValues('canary');
  const ids = ['i-0123456789abcdef0-0a1b2c3d4e5f60718293a4b5c6d7e8f9-r12-v2', 'test-1-1-r0-v0'];

  it.each([
    ['an id', approvalIdPattern, ids],
    ['a reason', consoleReasonPattern, ['', 'not tonight; see TICKET-1 (by phone), 50/50: no_go + more.']],
  ])('as %s is literal in JSON, or is refused', (_, pattern, good) => {
    const allowed = new RegExp(pattern);
    expect(values.length).toBeGreaterThanOrEqual(1000);
    const taken = [...values, ...good].filter((value) => allowed.test(value));
    for (const value of taken) {
      const pasted = JSON.stringify({ x: '{{ X }}' }).replace('{{ X }}', () => value);
      expect(JSON.parse(pasted)).toEqual({ x: value });
    }
    expect(taken).toEqual(expect.arrayContaining(good));
    expect(taken.filter((value) => /["'\\`$<>{}&|\n\r\t]/.test(value))).toEqual([]);
  });
});

describe('rights', () => {
  it('of the door are to ask who started an execution, to ask for ids, and to hand decisions on', () => {
    expect(rightsOf(template, functionNamed(template, 'decide-at-console').Properties.Role ?? null)).toEqual(
      [
        ...['CreateLogStream', 'PutLogEvents'].map((action) => `logs:${action} on <ConsoleDoorDoorLog.Arn>`),
        `ssm:GetAutomationExecution on ${executions}`,
        'iam:GetRole on arn:aws:iam::000000000000:role/*',
        'iam:GetUser on arn:aws:iam::000000000000:user/*',
        'lambda:InvokeFunction on arn:aws:lambda:us-east-1:000000000000:function:CgroupMedic-decide',
      ].sort(),
    );
  });

  it('of people are in one policy: to start this runbook, to see what comes of it, and to invoke the door', () => {
    const { PolicyDocument = null } =
      resourcesOf(template, 'AWS::IAM::ManagedPolicy').find(({ Properties }) =>
        String(Properties.Description).startsWith('Lets people decide'),
      )?.Properties ?? {};
    const rights = statementsOf(template, PolicyDocument).flatMap((statement) => {
      expect(statement.Effect).toBe('Allow');
      return list(statement.Action).flatMap((action) =>
        list(statement.Resource).map((resource) => `${String(action)} on ${String(resource)}`),
      );
    });
    expect(rights.sort()).toEqual(
      [
        `ssm:StartAutomationExecution on ${document}`,
        `ssm:StartAutomationExecution on ${executions}`,
        `ssm:GetDocument on ${document}`,
        `ssm:DescribeDocument on ${document}`,
        `ssm:GetAutomationExecution on ${executions}`,
        `ssm:DescribeAutomationStepExecutions on ${executions}`,
        `lambda:InvokeFunction on ${door}`,
        'cloudformation:DescribeStacks on <AWS::StackId>',
      ].sort(),
    );
  });
});
