import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApprovalStore } from '../../lambdas/adapters/approval-store.ts';
import { decide as domainDecide } from '../../lambdas/domain/approval/approval.ts';
import { Message } from '../../lambdas/domain/message.ts';
import { clusters, startTestEngine, stateTable, type TestEngine, type TestIncident } from './test-engine.ts';

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

type Answer = { status: string; reason?: string; approval?: { status: string; decisions: number } };

const person = (id: string, group: string) => ({ id, known: true, groups: [group], aliases: [] });
const ana = person('ana', 'oncall');
const bob = person('bob', 'oncall');
const max = person('max', 'managers');

function decide(approvalId: string, who: object, decision = 'approve', door = 'slack'): Promise<Answer> {
  const input = { approvalId, decision, by: { door, person: who }, reason: 'said so' };
  return test.engine.functions.invoke(
    test.engine.stack.outputs.DecideFunctionName ?? '',
    input as never,
  ) as Promise<unknown> as Promise<Answer>;
}

type Told = { kind: string; approvalId: string };

/** Runs an incident that asks two people, and calls `answer` for each message about its approval. */
function ask(answer: (message: Told) => Promise<void>): Promise<TestIncident & { told: Message[] }> {
  const told: Message[] = [];
  const answers: Promise<void>[] = [];
  const stop = test.engine.onPublished(({ message }) => {
    const parsed = Message.parse(JSON.parse(message));
    if (parsed.cluster !== clusters.together || parsed.approvalId === undefined) return;
    told.push(parsed);
    answers.push(answer(parsed as Told));
  });
  return test.run({ node: 'v2-zombies', cluster: clusters.together }, async (incident) => {
    stop();
    await Promise.all(answers);
    return { ...incident, told };
  });
}

const steps = ({ auditLines }: TestIncident) => auditLines.map((line) => JSON.parse(line));

describe('an approval that two people have to give', () => {
  it('reminds, tells the second group, and counts who decided at which stage; then the node is treated', async () => {
    const answers: Record<string, Answer> = {};
    const incident = await ask(async ({ kind, approvalId }) => {
      if (kind === 'approval-requested') {
        answers.early = await decide(approvalId, max);
        answers.first = await decide(approvalId, ana);
        answers.again = await decide(approvalId, ana);
      }
      if (kind === 'approval-escalated') answers.second = await decide(approvalId, max);
    });

    expect(answers.early).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('may not decide'),
    });
    expect(answers.first).toMatchObject({
      status: 'recorded',
      approval: { status: 'pending', decisions: 1 },
    });
    expect(answers.again).toEqual(answers.first);
    expect(answers.second).toMatchObject({
      status: 'recorded',
      approval: { status: 'approved', decisions: 2 },
    });
    expect(incident.record.outcome).toBe('cured');
    expect(incident.told.map(({ kind }) => kind)).toEqual([
      'approval-requested',
      'approval-reminder',
      'approval-escalated',
      'approval-settled',
    ]);
    expect(incident.told[2]?.text).toContain('@managers may decide as well');
    expect(incident.told[3]?.settled).toMatchObject({ status: 'approved', by: ['ana', 'max'] });
    const trail = steps(incident);
    expect(trail.filter(({ step }) => step === 'approval.requested')).toHaveLength(1);
    expect(trail.find(({ step }) => step === 'approval.settled')).toMatchObject({
      outcome: 'approved',
      details: { quorum: 2, decisions: [{ person: 'ana' }, { person: 'max' }] },
    });
  });

  it('expires where only one has given it, and says so', async () => {
    const incident = await ask(async ({ kind, approvalId }) => {
      if (kind === 'approval-requested') await decide(approvalId, ana);
    });

    expect(incident.record.outcome).toBe('expired');
    expect(incident.record.reason).toMatch(/^1 of 2 people approved by /);
    expect(steps(incident).some(({ step }) => step === 'treatment.intended')).toBe(false);
  });

  it('counts both of two who click at the same moment, and takes one outcome from many', async () => {
    const answers: Answer[] = [];
    const incident = await ask(async ({ kind, approvalId }) => {
      if (kind !== 'approval-requested') return;
      const clicks = [ana, bob, ana, bob].map((who) => decide(approvalId, who));
      answers.push(...(await Promise.all(clicks)), await decide(approvalId, bob, 'deny'));
    });

    expect(answers.slice(0, 4).map(({ status }) => status)).toEqual(Array(4).fill('recorded'));
    expect(answers[4]).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('already approved'),
    });
    expect(incident.record.outcome).toBe('cured');
    const decided = steps(incident).filter(
      ({ step, outcome }) => step === 'approval.decided' && outcome === 'approve',
    );
    expect(decided.map(({ actor }) => actor.id).sort()).toEqual(['ana', 'bob']);
  });

  it('obeys a decision of which it was not told, as when the function dies before the token: at the next stage of the wait', async () => {
    const incident = await ask(async ({ kind, approvalId }) => {
      if (kind === 'approval-requested') await writeOnly(approvalId, ana, 'deny');
    });

    expect(incident.record.outcome).toBe('denied');
    expect(incident.record.reason).toBe('said so');
    expect(incident.told.map(({ kind }) => kind)).toEqual(['approval-requested', 'approval-settled']);
  });

  it('is woken by a second click where the first was written and woke nobody', async () => {
    let second: Answer | undefined;
    const incident = await ask(async ({ kind, approvalId }) => {
      if (kind !== 'approval-requested') return;
      await writeOnly(approvalId, ana, 'deny');
      second = await decide(approvalId, ana, 'deny');
    });

    expect(second).toMatchObject({ status: 'recorded', approval: { status: 'denied' } });
    expect(incident.record.outcome).toBe('denied');
    const trail = steps(incident);
    const at = (step: string) => Date.parse(trail.find((entry) => entry.step === step)?.at);
    // Before people are reminded, after three seconds.
    expect(at('approval.settled') - at('approval.decided')).toBeLessThan(3000);
  });
});

describe('an approval whose execution is stopped', () => {
  /** Stops the execution once it asks, and what was done `before` that. */
  async function stopped(
    before: (approvalId: string) => Promise<void>,
  ): Promise<TestIncident & { told: Message[] }> {
    const abort = new AbortController();
    const told: Message[] = [];
    const work: Promise<void>[] = [];
    const stop = test.engine.onPublished(({ message }) => {
      const parsed = Message.parse(JSON.parse(message));
      if (parsed.cluster !== clusters.approve || parsed.approvalId === undefined) return;
      told.push(parsed);
      if (parsed.kind === 'approval-requested')
        work.push(before(parsed.approvalId).finally(() => abort.abort()));
    });
    const props = { node: 'v2-zombies', cluster: clusters.approve, signal: abort.signal };
    return test.run(props, async (incident) => {
      stop();
      await Promise.all(work);
      return { ...incident, told };
    });
  }

  it('is void, and whoever was asked is told so; a click finds it void', async () => {
    const { execution, told } = await stopped(async () => {});

    expect(execution.status).toBe('ABORTED');
    expect(told.map(({ kind, settled }) => `${kind} ${settled?.status ?? ''}`)).toEqual([
      'approval-requested ',
      'approval-settled void',
    ]);
    expect(await decide(told[0]?.approvalId ?? '', ana)).toMatchObject({
      status: 'refused',
      reason: 'this approval is already void',
    });
  });

  it('stays approved where somebody was faster, and whoever was asked is told that it is not done', async () => {
    const { execution, told, auditLines } = await stopped((id) => writeOnly(id, ana, 'approve'));

    expect(execution.status).toBe('ABORTED');
    expect(told.map(({ kind, settled }) => `${kind} ${settled?.status ?? ''}`)).toEqual([
      'approval-requested ',
      'approval-settled approved',
    ]);
    expect(told[1]?.text).toBe('the execution that had asked for it is gone: what was approved is not done');
    expect(auditLines.some((line) => JSON.parse(line).step === 'treatment.intended')).toBe(false);
  });
});

/** The write of a decision, and nothing of what follows it. */
async function writeOnly(approvalId: string, who: typeof ana, decision: 'approve' | 'deny'): Promise<void> {
  const store = new ApprovalStore(test.engine.cloud.dynamo, stateTable(test.engine));
  const approval = await store.get(approvalId);
  if (approval === undefined) throw new Error(`there is no approval ${approvalId}`);
  const request = { person: who, door: 'slack', decision, reason: 'said so' } as const;
  const decided = domainDecide(approval, request, new Date(), false);
  if (!decided.ok) throw new Error(decided.reason);
  expect(await store.settle(decided.approval, approval)).toBe(true);
}
