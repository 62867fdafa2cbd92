import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ApprovalStore } from '../../lambdas/adapters/approval-store.ts';
import type { Approval } from '../../lambdas/domain/approval/approval.ts';
import type { AuditEntry } from '../../lambdas/domain/audit/entry.ts';
import { Message } from '../../lambdas/domain/message.ts';
import type { Disturbance } from '../../local/cloud/cloud.ts';
import { accessKeyOf, ServiceError } from '../../local/cloud/wire.ts';
import type { Json } from '../../local/engine/json.ts';
import { clusters, startTestEngine, stateTable, type TestEngine, type TestIncident } from './test-engine.ts';

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());
afterEach(() => {
  vi.restoreAllMocks();
  test.engine.cloud.disturbances.clear();
});

type Call = Parameters<Disturbance>[0];
type Ended = TestIncident & { approval: Approval | undefined; told: Message[]; trail: AuditEntry[] };

const person = (id: string) => ({ id, known: true, groups: ['oncall'], aliases: [] });
const decideName = () => test.engine.stack.outputs.DecideFunctionName ?? '';

function decide(approvalId: string, who: string, decision: 'approve' | 'deny'): Promise<Json> {
  const by = { door: 'console', person: person(who) };
  return test.engine.functions.invoke(decideName(), { approvalId, decision, by, reason: 'said so' });
}

/** Runs an incident that asks, calls `answer` once its approval waits, and looks at what came of it. */
async function ask(
  answer: (approvalId: string, instanceId: string) => Promise<unknown>,
  cluster: string = clusters.together,
): Promise<Ended> {
  const told: Message[] = [];
  const answers: Promise<unknown>[] = [];
  const stop = test.engine.onPublished(({ message }) => {
    const parsed = Message.parse(JSON.parse(message));
    const { approvalId, instanceId = '' } = parsed;
    if (parsed.cluster !== cluster) return;
    const isFirst = parsed.kind === 'approval-requested' && !told.some(({ kind }) => kind === parsed.kind);
    told.push(parsed);
    if (!isFirst || approvalId === undefined) return;
    const answered = answer(approvalId, instanceId);
    // What goes wrong in it is seen where it is awaited.
    answered.catch(() => {});
    answers.push(answered);
  });
  return test.run({ node: 'v2-zombies', cluster }, async (incident) => {
    stop();
    await Promise.all(answers);
    const store = new ApprovalStore(test.engine.cloud.dynamo, stateTable(test.engine));
    const approval = await store.get(`${incident.id}-r0-v0`);
    const trail = incident.auditLines.map((line) => JSON.parse(line));
    return { ...incident, told, trail, approval };
  });
}

const statuses = (told: readonly Message[]) => told.flatMap(({ settled }) => settled?.status ?? []);
const count = (trail: readonly AuditEntry[], step: string) =>
  trail.filter((entry) => entry.step === step).length;

/** Ends the process that makes the first such call: before anybody sees it, or once it was answered, without the answer. */
function killAt(
  isIt: (call: Call, input: Record<string, never>) => boolean,
  when: 'before' | 'after',
): () => boolean {
  let done = false;
  test.engine.cloud.disturbances.add((call) => {
    if (done || call.protocol !== 'json' || !call.body.toString('utf8').startsWith('{')) return undefined;
    if (!isIt(call, JSON.parse(call.body.toString('utf8')))) return undefined;
    const pid = test.engine.functions.pidOf(accessKeyOf(call.message));
    if (pid === undefined) return undefined;
    done = true;
    if (when === 'before') {
      process.kill(pid, 'SIGKILL');
      throw new ServiceError('InternalServerError', 'nobody is there to hear it', 500);
    }
    // Held still, so that it sees nothing of the answer.
    process.kill(pid, 'SIGSTOP');
    return () => process.kill(pid, 'SIGKILL');
  });
  return () => done;
}

describe('the function that decides dies', () => {
  type Place = [string, 'before' | 'after', (call: Call, input: Record<string, never>) => boolean];
  const keyOf = (input: Record<string, never>) => (input as { Key?: { sk?: { S?: string } } }).Key?.sk?.S;
  const places: Place[] = [
    [
      'right after the write that decides',
      'after',
      ({ call }, input) => call === 'UpdateItem' && keyOf(input) === 'APPROVAL',
    ],
    [
      'before it is in the audit',
      'before',
      ({ call, body }) => call === 'PutItem' && body.includes('approval.decided'),
    ],
    [
      'before it reads the token',
      'before',
      ({ call }, input) => call === 'GetItem' && keyOf(input) === 'TOKEN',
    ],
    ['before it sends the token', 'before', ({ call }) => call === 'SendTaskSuccess'],
  ];
  it.each(places)('%s: what was recorded is what comes of it', async (_, when, isIt) => {
    let killed = (): boolean => false;
    let answer: unknown;
    const { record, approval, told, trail } = await ask(async (approvalId) => {
      killed = killAt(isIt, when);
      answer = await decide(approvalId, 'ana', 'deny').catch((error: Error) => error.name);
    });

    expect(killed()).toBe(true);
    expect(answer).toBe('Runtime.ExitError');
    expect(approval).toMatchObject({ status: 'denied', decisions: [{ person: 'ana', decision: 'deny' }] });
    expect(record).toMatchObject({ outcome: 'denied', reason: 'said so' });
    expect(statuses(told)).toEqual(['denied']);
    expect(trail.find(({ step }) => step === 'approval.settled')).toMatchObject({
      outcome: 'denied',
      details: { decisions: [{ person: 'ana', decision: 'deny', reason: 'said so' }] },
    });
    expect(count(trail, 'treatment.intended')).toBe(0);
  });

  it('on the second of two approvals: the node is treated, once, and both are in the audit', async () => {
    const { record, approval, told, trail } = await ask(async (approvalId) => {
      await decide(approvalId, 'ana', 'approve');
      killAt(({ call }, input) => call === 'UpdateItem' && keyOf(input) === 'APPROVAL', 'after');
      await decide(approvalId, 'bob', 'approve').catch(() => {});
    });

    expect(approval?.status).toBe('approved');
    expect(record.outcome).toBe('cured');
    expect(statuses(told)).toEqual(['approved']);
    expect(count(trail, 'treatment.intended')).toBe(1);
    expect(trail.find(({ step }) => step === 'approval.settled')?.details).toMatchObject({
      decisions: [{ person: 'ana' }, { person: 'bob' }],
    });
  });

  it('before the write: nothing was decided, and whoever comes next decides', async () => {
    const { record, approval } = await ask(async (approvalId) => {
      killAt(({ call }, input) => call === 'UpdateItem' && keyOf(input) === 'APPROVAL', 'before');
      await decide(approvalId, 'ana', 'approve').catch(() => {});
      expect(await decide(approvalId, 'bob', 'deny')).toMatchObject({ status: 'recorded' });
    });

    expect(approval?.decisions).toMatchObject([{ person: 'bob', decision: 'deny' }]);
    expect(record.outcome).toBe('denied');
  });
});

describe('the token does not wake the execution', () => {
  it.each([
    ['ThrottlingException', 400],
    ['TaskTimedOut', 400],
    ['InternalServerError', 500],
  ] as const)('%s: it is recorded all the same, and the end of the wait obeys it', async (name, status) => {
    const tokens = new Set<string>();
    test.engine.cloud.disturbances.add(({ call, body }) => {
      if (call !== 'SendTaskSuccess') return undefined;
      tokens.add(JSON.parse(body.toString('utf8')).taskToken);
      throw new ServiceError(name, `no: ${body.toString('utf8')}`, status);
    });
    const answers: unknown[] = [];
    const { record, told, trail, ...incident } = await ask(async (approvalId) => {
      answers.push(await decide(approvalId, 'ana', 'deny'));
    });

    expect(answers).toMatchObject([{ status: 'recorded', approval: { status: 'denied' } }]);
    expect(record).toMatchObject({ outcome: 'denied', reason: 'said so' });
    expect(statuses(told)).toEqual(['denied']);
    expect(tokens.size).toBe(1);
    const log = readFileSync(join(test.home, 'functions.log'), 'utf8');
    expect(log).toContain(name);
    for (const text of [
      log,
      JSON.stringify(told),
      JSON.stringify(trail),
      JSON.stringify(incident.approval),
    ]) {
      for (const token of tokens) expect(text).not.toContain(token);
    }
  });
});

describe('an event comes twice', () => {
  /** Every event of a function is delivered again, with the first or after it; the execution gets the last answer. */
  function deliverTwice(name: string, how: 'at once' | 'in turn'): () => number {
    const { functions } = test.engine;
    const invoke = functions.invoke.bind(functions);
    let deliveries = 0;
    vi.spyOn(functions, 'invoke').mockImplementation(async (called, event) => {
      if (!called.endsWith(name)) return invoke(called, event);
      deliveries += 1;
      if (how === 'at once') return (await Promise.all([invoke(called, event), invoke(called, event)]))[1];
      await invoke(called, event);
      return invoke(called, event);
    });
    return () => deliveries;
  }

  it.each([
    ['request-approval', 'at once'],
    ['request-approval', 'in turn'],
    ['settle-approval', 'at once'],
    ['settle-approval', 'in turn'],
  ] as const)('that of %s, %s: it is asked for once and ends once', async (name, how) => {
    const deliveries = deliverTwice(name, how);
    const { record, approval, told, trail } = await ask((approvalId) => decide(approvalId, 'ana', 'deny'));

    expect(deliveries()).toBeGreaterThanOrEqual(1);
    expect(record).toMatchObject({ outcome: 'denied', reason: 'said so' });
    expect(approval?.decisions).toHaveLength(1);
    expect(new Set(statuses(told))).toEqual(new Set(['denied']));
    for (const step of ['approval.requested', 'approval.decided', 'approval.settled']) {
      expect(`${step} ${count(trail, step)}`).toBe(`${step} 1`);
    }
  });

  it('those of each stage, and nobody decides: it expires once', async () => {
    const deliveries = deliverTwice('approval', 'at once');
    const { record, approval, told, trail } = await ask(async () => {});

    // Three stages, of which each is begun and settled.
    expect(deliveries()).toBe(6);
    expect(approval).toMatchObject({ status: 'expired', decisions: [] });
    expect(record.outcome).toBe('expired');
    expect(new Set(statuses(told))).toEqual(new Set(['expired']));
    const steps = ['requested', 'reminded', 'escalated', 'settled'].map((step) =>
      count(trail, `approval.${step}`),
    );
    expect(steps).toEqual([1, 1, 1, 1]);
  });
});

describe('the node is gone', () => {
  it('when the approval arrives: nothing is done to it, and people are told why', async () => {
    const { record, approval, told, trail } = await ask(async (approvalId, instanceId) => {
      test.engine.cloud.ssm.detach(instanceId);
      await decide(approvalId, 'ana', 'approve');
    }, clusters.approve);

    expect(approval?.status).toBe('approved');
    expect(record.outcome).toBe('refused');
    // The first gate that asks after it says so.
    expect(record.reason).toMatch(/^veto: .* EC2 knows no tag eks:cluster-name of i-\w+ any more$/);
    expect(count(trail, 'treatment.intended')).toBe(0);
    expect(trail.find(({ step }) => step === 'rechecked')).toMatchObject({ outcome: 'refuse' });
    expect(statuses(told)).toEqual(['approved']);
    const last = told.at(-1);
    expect(last?.kind).toBe('incident-closed');
    expect(last?.title).toContain('refused');
    expect(last?.text).toContain('EC2 knows no tag eks:cluster-name of');
  });
});
