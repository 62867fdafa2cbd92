import { randomUUID } from 'node:crypto';
import {
  GetAutomationExecutionCommand,
  SSMClient,
  StartAutomationExecutionCommand,
} from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApprovalStore } from '../../lambdas/adapters/approval-store.ts';
import type { Approval } from '../../lambdas/domain/approval/approval.ts';
import type { Message } from '../../lambdas/domain/message.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import type { LocalAutomation } from '../../local/cloud/automation.ts';
import type { Json } from '../../local/engine/json.ts';
import { sampleApproval } from '../lambdas/domain/approval/sample-approval.ts';
import { hostileValues } from '../ssm-documents/hostile-values.ts';
import { clientConfig } from './cloud/test-stack.ts';
import { clusters, startTestEngine, stateTable, type TestEngine, testSettings } from './test-engine.ts';

// Whole functions, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const runbook = 'CgroupMedic-decide';
const account = '000000000000';
const session = (role: string, name: string) => `arn:aws:sts::${account}:assumed-role/${role}/${name}`;
const alice = session('AWSReservedSSO_OnCall_0123456789abcdef', 'alice@example.com');
const carol = session('AWSReservedSSO_OnCall_0123456789abcdef', 'carol@example.com');
const roleArn = (role: string) => `arn:aws:iam::${account}:role/${role}`;

function settings(): Settings {
  const all = testSettings();
  const asking = all.clusters[clusters.approve];
  const within = (seconds: number, onePersonTeam = false) => ({
    ...asking,
    approval: { onePersonTeam, expirySeconds: { low: seconds, medium: seconds, high: seconds } },
  });
  return Settings.parse({
    ...all,
    people: { ...all.people, alice: { aws: [alice], groups: ['oncall'] }, carol: { aws: [carol] } },
    trustedSessionRoles: [
      `arn:aws:iam::${account}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_OnCall_0123456789abcdef`,
    ],
    clusters: {
      ...all.clusters,
      [clusters.approve]: within(600),
      [clusters.switched]: within(6),
      [clusters.patient]: within(600, true),
    },
  });
}

let test: TestEngine;
let ssm: SSMClient;
let store: ApprovalStore;
beforeAll(async () => {
  test = await startTestEngine(settings(), { oneMachine: false });
  ssm = new SSMClient(clientConfig(test.engine.cloud));
  store = new ApprovalStore(test.engine.cloud.dynamo, stateTable(test.engine));
  test.engine.cloud.principals.push(
    { kind: 'role', name: 'admin', id: 'AROAADMIN', arn: roleArn('teams/admin') },
    { kind: 'role', name: 'other', id: 'AROAOTHER', arn: roleArn('other') },
    { kind: 'user', name: 'bob', id: 'AIDABOB', arn: `arn:aws:iam::${account}:user/bob` },
  );
});
afterAll(async () => {
  ssm?.destroy();
  await test?.close();
});

type Asked = { caller?: string; approvalId: string; decision?: string; reason?: string };

/** Starts the runbook as the console does, and waits for its end. */
async function atConsole({ caller = alice, approvalId, decision = 'approve', reason }: Asked) {
  test.engine.cloud.automations.caller = caller;
  const { AutomationExecutionId } = await ssm.send(
    new StartAutomationExecutionCommand({
      DocumentName: runbook,
      Parameters: {
        ApprovalId: [approvalId],
        Decision: [decision],
        ...(reason === undefined ? {} : { Reason: [reason] }),
      },
    }),
  );
  for (;;) {
    const { AutomationExecution: execution } = await ssm.send(
      new GetAutomationExecutionCommand({ AutomationExecutionId }),
    );
    if (execution?.AutomationExecutionStatus !== 'InProgress') {
      const payload = execution?.Outputs?.['decide.Payload']?.[0];
      return {
        status: execution?.AutomationExecutionStatus,
        failure: execution?.FailureMessage ?? '',
        ...(payload === undefined ? {} : { answer: JSON.parse(payload) }),
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

let count = 0;
/** An approval that waits, without an incident that waits for it. */
async function waiting(change: Partial<Approval> = {}): Promise<string> {
  count += 1;
  const id = `console-${process.pid}-${count}-r0-v0`;
  await store.request(
    sampleApproval({
      id,
      incident: `console-${process.pid}-${count}`,
      cluster: clusters.approve,
      createdAt: new Date().toISOString(),
      expiresAt: new Date(Date.now() + 600_000).toISOString(),
      ...change,
    }),
    'no-token-of-any-execution',
  );
  return id;
}

const stands = async (id: string) => {
  const { status, decisions = [] } = (await store.get(id)) ?? {};
  return { status, by: decisions.map(({ person, door }) => `${person} at ${door}`) };
};

/** What `decide` makes of an incident, by the message that asks for its approval. */
async function incident(
  cluster: string,
  asked: (message: Message) => Promise<unknown>,
): Promise<{ outcome: string; answers: unknown[]; trail: { step: string }[]; card: Message | undefined }> {
  const answers: Promise<unknown>[] = [];
  let card: Message | undefined;
  const stop = test.engine.onPublished(({ message }) => {
    const parsed: Message = JSON.parse(message);
    if (parsed.kind !== 'approval-requested') return;
    card = parsed;
    answers.push(asked(parsed));
  });
  try {
    return await test.run({ node: 'v2-zombies', cluster }, async ({ record, auditLines }) => ({
      outcome: record.outcome,
      answers: await Promise.all(answers),
      trail: auditLines.map((line) => JSON.parse(line)),
      card,
    }));
  } finally {
    stop();
  }
}

describe('an incident that asks for an approval', () => {
  it('is cured once somebody has approved at the console, and its trail has their name', async () => {
    const { outcome, answers, trail, card } = await incident(clusters.approve, ({ approvalId = '' }) =>
      atConsole({ approvalId, reason: 'looks right (see TICKET-1)' }),
    );

    expect(answers).toMatchObject([
      {
        status: 'Success',
        answer: { status: 'recorded', person: 'alice', approval: { status: 'approved' } },
      },
    ]);
    expect(outcome).toBe('cured');
    expect(trail).toContainEqual(
      expect.objectContaining({
        step: 'approval.decided',
        actor: expect.objectContaining({ kind: 'person', id: 'alice' }),
        outcome: 'approve',
        what: 'looks right (see TICKET-1)',
      }),
    );
    const { approvalId } = card ?? {};
    expect(await stands(approvalId ?? '')).toEqual({ status: 'approved', by: ['alice at console'] });
  });

  it('is not treated once somebody has denied there, with their reason', async () => {
    const { outcome, trail } = await incident(clusters.approve, ({ approvalId = '' }) =>
      atConsole({ approvalId, decision: 'deny', reason: 'not tonight' }),
    );

    expect(outcome).toBe('denied');
    expect(trail.map(({ step }) => step)).not.toContain('treatment.sent');
    expect(trail).toContainEqual(
      expect.objectContaining({ step: 'approval.decided', outcome: 'deny', what: 'not tonight' }),
    );
  });

  it('has expired for whoever comes too late', async () => {
    const { outcome, card } = await incident(clusters.switched, async () => {});
    expect(outcome).toBe('expired');

    const late = await atConsole({ approvalId: card?.approvalId ?? '' });
    expect(late.status).toBe('Failed');
    expect(late.failure).toContain('already expired');
  });
});

describe('who decides at the console', () => {
  it('is a person where the settings trust the sessions of their role', async () => {
    const approvalId = await waiting({ requestedBy: 'AROASSO:somebody-else@example.com' });
    expect(await atConsole({ approvalId })).toMatchObject({ status: 'Success', answer: { person: 'alice' } });
    expect(await stands(approvalId)).toEqual({ status: 'approved', by: ['alice at console'] });
  });

  it('is not whoever asked by hand, as AWS knows them', async () => {
    const approvalId = await waiting({ requestedBy: 'AROASSO:alice@example.com' });
    const { status, failure } = await atConsole({ approvalId });
    expect(status).toBe('Failed');
    expect(failure).toContain('alice started this incident by hand');
    expect(await stands(approvalId)).toEqual({ status: 'pending', by: [] });
  });

  it('is the whole role where they are not: what one session asked for no other approves', async () => {
    const approvalId = await waiting({ requestedBy: 'AROAADMIN:carol' });
    const refused = await atConsole({ caller: session('admin', 'dave'), approvalId });
    expect(refused.failure).toContain(`${roleArn('admin')} started this incident by hand`);
    expect(await stands(approvalId)).toEqual({ status: 'pending', by: [] });

    expect(await atConsole({ caller: session('other', 'dave'), approvalId })).toMatchObject({
      status: 'Success',
      answer: { person: roleArn('other') },
    });
  });

  it('may be whoever asked, where IAM does not say the id of their role; but may deny', async () => {
    const approvalId = await waiting({ requestedBy: 'AROAADMIN:carol' });
    const unknown = session('deleted-meanwhile', 'dave');
    expect((await atConsole({ caller: unknown, approvalId })).failure).toContain(
      'cannot be told from AROAADMIN:carol',
    );
    expect(await atConsole({ caller: unknown, approvalId, decision: 'deny', reason: 'no' })).toMatchObject({
      status: 'Success',
    });
  });

  it('is an IAM user, and not the one who asked', async () => {
    const bob = `arn:aws:iam::${account}:user/bob`;
    const own = await waiting({ requestedBy: 'AIDABOB' });
    expect((await atConsole({ caller: bob, approvalId: own })).status).toBe('Failed');
    const others = await waiting({ requestedBy: 'AIDACAROL' });
    expect(await atConsole({ caller: bob, approvalId: others })).toMatchObject({
      status: 'Success',
      answer: { person: bob },
    });
  });

  it.each([
    ['the root user', `arn:aws:iam::${account}:root`],
    ['a service', session('AWSServiceRoleForAmazonSSM', 'StateManagerService')],
    ['nobody', ''],
  ])('is not %s', async (_, caller) => {
    const approvalId = await waiting();
    const { status, failure } = await atConsole({ caller, approvalId });
    expect(status).toBe('Failed');
    expect(failure).toContain('decides nothing');
    expect(await stands(approvalId)).toEqual({ status: 'pending', by: [] });
  });

  it('gets no right from a team of one but to approve what they asked for, and it is recorded', async () => {
    const approvalId = await waiting({
      cluster: clusters.patient,
      requestedBy: 'AROASSO:alice@example.com',
    });
    expect((await atConsole({ approvalId })).status).toBe('Success');
    expect((await store.get(approvalId))?.decisions).toMatchObject([
      { person: 'alice', onePersonTeam: true },
    ]);
  });

  it('counts once for a quorum, and as a whole role not at all', async () => {
    const approvalId = await waiting({ quorum: 2 });
    expect(await atConsole({ approvalId })).toMatchObject({
      answer: { approval: { status: 'pending', decisions: 1, quorum: 2 } },
    });
    for (const name of ['one', 'two']) {
      const { failure } = await atConsole({ caller: session('admin', name), approvalId });
      expect(failure).toContain(`${roleArn('admin')} is not one of people in the settings`);
    }
    expect(await stands(approvalId)).toEqual({ status: 'pending', by: ['alice at console'] });
    expect(await atConsole({ caller: carol, approvalId })).toMatchObject({
      answer: { person: 'carol', approval: { status: 'approved', decisions: 2, quorum: 2 } },
    });
  });

  it('confirms a decision that they repeat, and changes none', async () => {
    const approvalId = await waiting();
    expect((await atConsole({ approvalId })).status).toBe('Success');
    expect((await atConsole({ approvalId })).status).toBe('Success');
    expect((await atConsole({ approvalId, decision: 'deny', reason: 'no' })).failure).toContain(
      'already approved',
    );
    expect(await stands(approvalId)).toEqual({ status: 'approved', by: ['alice at console'] });
  });
});

describe('whoever may only invoke the function', () => {
  const door = `${runbook}-at-console`;
  let approvalId: string;
  let execution: LocalAutomation;
  beforeEach(async () => {
    approvalId = await waiting();
    execution = {
      AutomationExecutionId: randomUUID(),
      DocumentName: runbook,
      AutomationExecutionStatus: 'InProgress',
      ExecutedBy: alice,
      Parameters: { ApprovalId: [approvalId], Decision: ['deny'], Reason: ['not tonight'] },
      Outputs: {},
    };
  });
  const invoke = async (change: Partial<LocalAutomation>, input: Record<string, string> = {}) => {
    test.engine.cloud.automations.record({ ...execution, ...change });
    try {
      return await test.engine.functions.invoke(door, {
        approvalId,
        decision: 'deny',
        reason: 'not tonight',
        executionId: execution.AutomationExecutionId,
        ...input,
      });
    } catch (error) {
      return JSON.parse((error as Error).message);
    }
  };

  it('can do no more with the execution of somebody else than they do themselves', async () => {
    expect(await invoke({})).toMatchObject({ status: 'recorded', person: 'alice' });
  });

  it.each<[string, Partial<LocalAutomation>, Record<string, string>, string]>([
    ['turn their decision round', {}, { decision: 'approve' }, 'not started with this Decision'],
    ['put it on another approval', {}, { approvalId: 'another-r0-v0' }, 'not started with this ApprovalId'],
    ['give another reason', {}, { reason: 'something else' }, 'not started with this Reason'],
    ['use one that is over', { AutomationExecutionStatus: 'Success' }, {}, 'does not run (Success)'],
    ['use one that was stopped', { AutomationExecutionStatus: 'Cancelled' }, {}, 'does not run (Cancelled)'],
    [
      'use one of another document',
      { DocumentName: 'CgroupMedic-remediate' },
      {},
      'is of the document CgroupMedic-remediate',
    ],
    ['make one up', {}, { executionId: randomUUID() }, 'does not say who started'],
    ['leave it out', {}, { executionId: '' }, 'executionId: must be the id of an execution'],
    ['say who decides', {}, { person: 'alice' }, 'Unrecognized key'],
  ])('cannot %s', async (_, change, input, message) => {
    const answer = await invoke(change, input);
    expect(answer).toMatchObject({ errorType: 'Refused', errorMessage: expect.stringContaining(message) });
    // What the console shows is the reason, and no list of places in a bundle.
    expect(answer.trace.join('\n')).not.toContain(' at ');
    expect(await stands(approvalId)).toEqual({ status: 'pending', by: [] });
  });
});

it('is nobody by name alone: the function behind all doors takes who is logged in for nobody in an account', async () => {
  const approvalId = await waiting();
  const decide = (by: { person: Json; door: string }) =>
    test.engine.functions.invoke('CgroupMedic-decide', { approvalId, decision: 'approve', by });
  expect(await decide({ person: 'alice', door: 'local' })).toMatchObject({
    status: 'refused',
    reason: expect.stringContaining('on one machine only'),
  });
  expect(await stands(approvalId)).toEqual({ status: 'pending', by: [] });
});

describe('a hostile reason', () => {
  it('does not start the runbook, or is taken literally', async () => {
    const values = hostileValues('canary');
    expect(values.length).toBeGreaterThanOrEqual(1000);
    const approvalId = await waiting();
    const taken: string[] = [];
    for (const reason of values) {
      try {
        // The approval that is meant is of nobody, so that each is answered by its reason and no state.
        const { status, failure } = await atConsole({
          approvalId: 'nothing-r0-v0',
          decision: 'deny',
          reason,
        });
        expect(status).toBe('Failed');
        expect(failure, reason).toMatch(
          /there is no approval nothing-r0-v0|must be at most 200|is not valid JSON|control character/,
        );
        taken.push(reason);
      } catch (error) {
        expect(error, reason).toMatchObject({ name: 'InvalidAutomationExecutionParametersException' });
      }
    }
    expect(taken.filter((reason) => !/^[A-Za-z0-9 .,:;/()_+-]{0,200}\n?$/.test(reason))).toEqual([]);
    expect(taken.length).toBeGreaterThan(20);
    const [literal = ''] = taken.filter((reason) => reason.startsWith('('));
    await atConsole({ approvalId, decision: 'deny', reason: literal });
    expect((await store.get(approvalId))?.decisions).toMatchObject([{ reason: literal }]);
  });
});

it('tells people on the card and in the message where to decide, and no token', async () => {
  const { card } = await incident(clusters.approve, ({ approvalId = '' }) =>
    atConsole({ approvalId, decision: 'deny', reason: 'seen' }),
  );
  const url = `https://us-east-1.console.aws.amazon.com/systems-manager/automation/execute/${runbook}?region=us-east-1#ApprovalId=${card?.approvalId}`;
  expect(card?.card?.decideAt?.url).toBe(url);
  expect(card?.text).toContain(`Decide at the AWS console: ${url}`);
  expect(card?.text).toContain(
    `--document-name ${runbook} --parameters '{"ApprovalId":["${card?.approvalId}"],"Decision":`,
  );
  const token = await store.token(card?.approvalId ?? '');
  expect(token?.length).toBeGreaterThan(10);
  expect(JSON.stringify(card)).not.toContain(token);
});
