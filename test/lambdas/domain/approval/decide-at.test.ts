import { describe, expect, it } from 'vitest';
import { type Execution, problemOfExecution } from '../../../../lambdas/domain/approval/console-decision.ts';
import { decideAt } from '../../../../lambdas/domain/approval/decide-at.ts';

const id = 'i-0123456789abcdef0-0a1b-r0-v0';

describe('where to decide', () => {
  it.each([
    ['eu-central-1', 'eu-central-1.console.aws.amazon.com'],
    ['cn-north-1', 'cn-north-1.console.amazonaws.cn'],
    ['us-gov-west-1', 'us-gov-west-1.console.amazonaws-us-gov.com'],
  ])('in %s is the page of the console there', (region, host) => {
    expect(decideAt('CgroupMedic-decide', region, id).url).toBe(
      `https://${host}/systems-manager/automation/execute/CgroupMedic-decide?region=${region}#ApprovalId=${id}`,
    );
  });

  it('is a command as well, in which nothing is decided yet', () => {
    expect(decideAt('CgroupMedic-decide', 'eu-central-1', id).cli).toBe(
      `aws ssm start-automation-execution --region eu-central-1 --document-name CgroupMedic-decide --parameters '{"ApprovalId":["${id}"],"Decision":["DECISION"],"Reason":["REASON"]}'`,
    );
  });
});

describe('an execution', () => {
  const decision = {
    approvalId: id,
    decision: 'approve',
    reason: '',
    executionId: '01234567-89ab-cdef-0123-456789abcdef',
  } as const;
  const execution: Execution = {
    id: decision.executionId,
    document: 'CgroupMedic-decide',
    status: 'InProgress',
    executedBy: 'arn:aws:iam::111122223333:user/alice',
    parameters: { ApprovalId: [id], Decision: ['approve'], Reason: [''] },
  };
  const problem = (change: Partial<Execution>) =>
    problemOfExecution(decision, { ...execution, ...change }, 'CgroupMedic-decide');

  it('is that of who decides where it is of our runbook, goes on, and asks for exactly this', () => {
    expect(problem({})).toBeUndefined();
    // Who leaves the reason out gives none.
    expect(problem({ parameters: { ApprovalId: [id], Decision: ['approve'] } })).toBeUndefined();
  });

  it.each<[string, Partial<Execution>, string]>([
    ['another one', { id: 'x' }, 'another execution'],
    ['of another document', { document: 'AWS-StopEC2Instance' }, 'is of the document AWS-StopEC2Instance'],
    [
      'of a document of the same name elsewhere',
      { document: 'arn:aws:ssm:us-east-1:999999999999:document/CgroupMedic-decide' },
      'decisions are taken from CgroupMedic-decide alone',
    ],
    ['that is over', { status: 'Success' }, 'does not run (Success)'],
    ['that was stopped', { status: 'Cancelled' }, 'does not run (Cancelled)'],
    [
      'for another approval',
      { parameters: { ...execution.parameters, ApprovalId: ['other'] } },
      'not started with this ApprovalId',
    ],
    [
      'for the other decision',
      { parameters: { ...execution.parameters, Decision: ['deny'] } },
      'not started with this Decision',
    ],
    [
      'with another reason',
      { parameters: { ...execution.parameters, Reason: ['x'] } },
      'not started with this Reason',
    ],
    [
      'for several approvals',
      { parameters: { ...execution.parameters, ApprovalId: [id, 'other'] } },
      'not started with this ApprovalId',
    ],
    ['without parameters', { parameters: {} }, 'not started with this ApprovalId'],
  ])('%s is refused', (_, change, message) => {
    expect(problem(change)).toContain(message);
  });
});
