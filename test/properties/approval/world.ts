import { randomBytes } from 'node:crypto';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { vi } from 'vitest';
import { LeaseStore } from '../../../lambdas/adapters/lease-store.ts';
import { Approval } from '../../../lambdas/domain/approval/approval.ts';
import type { DecideAnswer } from '../../../lambdas/domain/approval/decide-answer.ts';
import { stageAt, timesOf } from '../../../lambdas/domain/approval/stages.ts';
import type { AuditEntry } from '../../../lambdas/domain/audit/entry.ts';
import { IncidentState } from '../../../lambdas/domain/incident-state.ts';
import { Message } from '../../../lambdas/domain/message.ts';
import { Settings } from '../../../lambdas/domain/settings.ts';
import { type Cloud, type Disturbance, startCloud } from '../../../local/cloud/cloud.ts';
import { accessKeyOf, ServiceError } from '../../../local/cloud/wire.ts';
import type { TemplateTable } from '../../../local/engine/template.ts';
import { sampleApproval } from '../../lambdas/domain/approval/sample-approval.ts';
import { openedState } from '../../lambdas/domain/sample-state.ts';
import { emptyStack } from '../../local/cloud/test-stack.ts';
import { type Name, people, personAt } from './people.ts';

const topicArn = 'arn:aws:sns:us-east-1:000000000000:people';
const keyArn = 'arn:aws:kms:us-east-1:000000000000:key/key-1';
const accessKey = 'HANDLERS';
const started = Date.parse('2026-11-21T06:00:00.000Z');
export const expirySeconds = 100;

/** What one approval is under. */
export type Rules = {
  quorum: 1 | 2 | 3;
  /** Only those of @oncall may decide, and later those of @managers; else everybody. */
  groups: boolean;
  remindAtPercent: 0 | 25;
  escalateAtPercent: 0 | 50;
  /** Ana asked for it by hand. */
  byAna: boolean;
  onePersonTeam: boolean;
};

export type Decide = {
  who: Name;
  door: 'slack' | 'console';
  decision: 'approve' | 'deny';
  reason: string | undefined;
};

/** `count` calls of the function are answered; then its process is as good as dead. */
export type Crash = { count: number } | undefined;

type Handlers = Record<'ask' | 'decide' | 'settle' | 'janitor', (input: unknown) => Promise<unknown>>;

/** The settings of the approval that is tried now, for the handlers. */
export const present: { settings: Settings } = { settings: Settings.parse({ clusters: { prod: {} } }) };

/** DynamoDB, SNS, CloudWatch Logs, KMS and the task tokens at the wire, for the handlers in this process. */
export class Wire {
  readonly cloud: Cloud;
  readonly messages: Message[];
  /** What handlers have printed. */
  readonly printed: string[] = [];
  readonly handlers: Handlers;
  #left: number | undefined;
  /** Calls that carried a task token to where none belongs. */
  readonly leaks: string[] = [];
  token = 'none yet';

  private constructor(cloud: Cloud, messages: Message[], handlers: Handlers) {
    this.cloud = cloud;
    this.messages = messages;
    this.handlers = handlers;
    const disturb: Disturbance = ({ service, call, body, message }) => {
      if (accessKeyOf(message) !== accessKey) return undefined;
      this.#watch(service, call, body.toString('utf8'));
      if (this.#left === undefined) return undefined;
      this.#left -= 1;
      // An error that no client tries again.
      if (this.#left < 0) throw new ServiceError('AccessDeniedException', 'the process is dead');
      return undefined;
    };
    cloud.disturbances.add(disturb);
  }

  static async start(): Promise<Wire> {
    const messages: Message[] = [];
    const cloud = await startCloud({
      stack: {
        ...emptyStack,
        tables: [table('state', ['pk', 'S'], ['sk', 'S']), table('audit', ['incident', 'S'], ['seq', 'N'])],
        topics: [{ logicalId: 'P', arn: topicArn }],
        logGroups: [{ logicalId: 'L', name: 'audit' }],
        keys: [{ logicalId: 'K', id: 'key-1', arn: keyArn, spec: 'ECC_NIST_P256' }],
      },
      onPublished: ({ message }) => messages.push(Message.parse(JSON.parse(message))),
    });
    const environment = {
      AWS_ENDPOINT_URL: cloud.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: accessKey,
      AWS_SECRET_ACCESS_KEY: 'local-only',
      STATE_TABLE: 'state',
      AUDIT_TABLE: 'audit',
      AUDIT_LOG_GROUP: 'audit',
      NOTIFY_TOPIC_ARN: topicArn,
      SIGNING_KEY_ID: keyArn,
      MODE_PARAMETER_PREFIX: '/medic',
      DOCUMENTS: '{}',
      DECIDE_DOCUMENT: 'CgroupMedic-decide',
      SOFTWARE_VERSION: 'test',
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    // Made only now: their clients read the environment.
    const [ask, decide, settle, janitor] = await Promise.all([
      import('../../../lambdas/handlers/request-approval.ts'),
      import('../../../lambdas/handlers/decide.ts'),
      import('../../../lambdas/handlers/settle-approval.ts'),
      import('../../../lambdas/handlers/janitor.ts'),
    ]);
    return new Wire(cloud, messages, {
      ask: ask.handler,
      decide: decide.handler,
      settle: settle.handler,
      janitor: janitor.handler,
    });
  }

  /** Runs a function; where it crashes, what it would have answered is lost. */
  async run<T>(crash: Crash, call: () => Promise<T>): Promise<{ answer: T } | { error: Error }> {
    this.#left = crash?.count;
    try {
      const answer = await call();
      return this.crashed ? { error: new Error('the process died') } : { answer };
    } catch (error) {
      return { error: error as Error };
    } finally {
      this.#left = undefined;
    }
  }

  get crashed(): boolean {
    return this.#left !== undefined && this.#left < 0;
  }

  /** The token of a wait is in its own item, and in the call that ends the wait; nowhere else. */
  #watch(service: string, call: string, body: string): void {
    if (!body.includes(this.token)) return;
    const input = JSON.parse(body);
    const isItem = call === 'PutItem' && input.Item?.sk?.S === 'TOKEN';
    const isWake = call === 'SendTaskSuccess' && input.output === '{}';
    if (!isItem && !isWake) this.leaks.push(`${service}:${call} ${body}`);
  }

  async close(): Promise<void> {
    await this.cloud.close();
    vi.unstubAllEnvs();
  }
}

/** One execution that waits for a decision: what Step Functions does with the two states of the wait, and with what comes of them. */
export class Execution {
  readonly wire: Wire;
  readonly id: string;
  readonly instanceId: string;
  readonly approvalId: string;
  /** The state that is next; `waiting` between the two. `dead`: its execution failed, and the janitor has to come. */
  at: 'ask' | 'waiting' | 'settle' | 'ended' | 'dead' = 'ask';
  state: IncidentState;
  waits = 0;
  #waitEnds = 0;
  #stop = new AbortController();
  #woken = false;
  #last: { ask?: unknown; settle?: unknown } = {};

  private constructor(wire: Wire, id: string, state: IncidentState) {
    this.wire = wire;
    this.id = id;
    this.instanceId = state.incident.instanceId;
    this.approvalId = `${id}-r0-v0`;
    this.state = state;
  }

  static async start(wire: Wire, rules: Rules, requestedBy: string | undefined): Promise<Execution> {
    vi.setSystemTime(started);
    const id = `inc-${randomBytes(6).toString('hex')}`;
    const instanceId = `i-${randomBytes(9).toString('hex').slice(0, 17)}`;
    const parsed = Settings.parse({
      people,
      clusters: {
        prod: {
          approval: {
            quorum: { low: rules.quorum },
            approvers: { low: rules.groups ? ['@oncall'] : [] },
            expirySeconds: { low: expirySeconds },
            remindAtPercent: rules.remindAtPercent,
            escalation: { atPercent: rules.escalateAtPercent, group: 'managers' },
            onePersonTeam: rules.onePersonTeam,
          },
        },
      },
    });
    // Nothing of a dead execution runs on here, so that nobody has to wait for it.
    present.settings = { ...parsed, janitor: { ...parsed.janitor, settleSeconds: 0 } };
    const cluster = present.settings.clusters.prod;
    if (cluster === undefined) throw new Error('there is no cluster');
    const now = new Date();
    const times = timesOf(cluster.approval, 'low', now);
    const { incident } = openedState();
    const taken = await new LeaseStore(wire.cloud.dynamo, 'state').take(instanceId, id, 90, now);
    if (taken.status !== 'ours') throw new Error('the lease is not ours');
    const state = openedState({
      incident: {
        ...incident,
        id,
        instanceId,
        alarm: { ...incident.alarm, instanceId, ...(requestedBy === undefined ? {} : { requestedBy }) },
      },
      lease: { status: 'ours', fencing: taken.fencing, reason: '' },
      rung: sampleApproval().rung,
      gate: { decision: 'ask', gate: 'policy', reason: 'it asks', waitSeconds: 0 },
      approval: {
        id: `${id}-r0-v0`,
        evidenceDigest: 'd',
        ...times,
        stage: 'asked',
        timeoutSeconds: stageAt(times, now)?.seconds ?? 1,
        decision: 'pending',
      },
    });
    const { auditContext, auditTrail } = await import('../../../lambdas/handlers/phase.ts');
    await auditTrail().append(
      { step: 'incident.opened', actor: { kind: 'alarm', id: 'a' }, what: 'it was asked for' },
      { ...auditContext(state), at: now.toISOString(), key: 'opened' },
    );
    return new Execution(wire, id, IncidentState.parse(state));
  }

  /** Begins a stage of the wait; `deliveries` of the same event, as where Lambda's answer is lost. */
  async ask(deliveries: number, crash: Crash): Promise<void> {
    const taskToken = `TASK-TOKEN-${randomBytes(16).toString('hex')}`;
    this.wire.token = taskToken;
    this.#stop = new AbortController();
    this.#woken = false;
    this.waits += 1;
    this.#waitEnds = Date.now() + (this.state.approval?.timeoutSeconds ?? 0) * 1000;
    this.wire.cloud.tokens.wait(taskToken, this.#stop.signal).then(
      () => {
        this.#woken = true;
      },
      () => {},
    );
    const input = { state: this.state, taskToken };
    this.#last.ask = input;
    let ended = await this.wire.run(crash, () => this.wire.handlers.ask(input));
    for (let delivery = 1; delivery < deliveries; delivery += 1) {
      ended = await this.wire.run(undefined, () => this.wire.handlers.ask(input));
    }
    this.at = 'waiting';
    this.look();
    if ('error' in ended && this.at === 'waiting') {
      this.#endWait({ Error: ended.error.name, Cause: ended.error.message });
    }
  }

  /** Whether the wait has ended: it was woken, or its time is over. */
  look(): void {
    if (this.at !== 'waiting') return;
    if (this.#woken) this.#endWait(undefined);
    else if (Date.now() >= this.#waitEnds) this.#endWait({ Error: 'States.Timeout', Cause: '' });
  }

  #endWait(interruption: { Error: string; Cause: string } | undefined): void {
    this.#stop.abort();
    const { approval } = this.state;
    if (approval === undefined) throw new Error('there is no approval');
    this.state = {
      ...this.state,
      approval: { ...approval, ...(interruption === undefined ? {} : { interruption }) },
    };
    this.at = 'settle';
  }

  /** What follows the wait. A process that dies is tried again, or fails the execution. */
  async settle(deliveries: number, crash: Crash, retried: boolean): Promise<void> {
    const input = structuredClone(this.state);
    this.#last.settle = input;
    let ended = await this.wire.run(crash, () => this.wire.handlers.settle(input));
    const again = 'error' in ended && retried ? Math.max(2, deliveries) : deliveries;
    for (let delivery = 1; delivery < again; delivery += 1) {
      ended = await this.wire.run(undefined, () => this.wire.handlers.settle(input));
    }
    if ('error' in ended) {
      this.at = 'dead';
      return;
    }
    this.state = IncidentState.parse(ended.answer);
    this.at = this.state.approval?.decision === 'pending' ? 'ask' : 'ended';
  }

  /** An event of before comes once more, however late; nobody waits for what it answers. */
  async deliverAgain(which: 'ask' | 'settle'): Promise<void> {
    const input = this.#last[which];
    if (input !== undefined) await this.wire.run(undefined, () => this.wire.handlers[which](input));
  }

  decide({ who, door, decision, reason }: Decide): Promise<DecideAnswer> {
    return this.wire.handlers.decide({
      approvalId: this.approvalId,
      decision,
      by: { door, person: personAt(who, door) },
      reason,
    }) as Promise<DecideAnswer>;
  }

  /** What the event of a dead execution wakes. */
  async cleanUp(crash: Crash): Promise<void> {
    this.at = 'dead';
    this.#stop.abort();
    const detail = { executionArn: 'e', name: this.id, status: 'ABORTED' };
    await this.wire.run(crash, () => this.wire.handlers.janitor({ detail }));
  }

  async record(): Promise<Approval | undefined> {
    const { Item } = await this.wire.cloud.dynamo.send(
      new GetItemCommand({
        TableName: 'state',
        Key: marshall({ pk: `APPROVAL#${this.approvalId}`, sk: 'APPROVAL' }),
        ConsistentRead: true,
      }),
    );
    return Item === undefined ? undefined : Approval.parse(JSON.parse(String(unmarshall(Item).record)));
  }

  /** How people were told that it ended. */
  told(): string[] {
    return this.wire.messages
      .filter(({ incident, kind }) => incident === this.id && kind === 'approval-settled')
      .map(({ settled }) => settled?.status ?? 'nothing');
  }

  async entries(): Promise<AuditEntry[]> {
    const { auditTrail } = await import('../../../lambdas/handlers/phase.ts');
    return auditTrail().entries(this.id);
  }
}

function table(name: string, hash: Key, range: Key): TemplateTable {
  return {
    logicalId: name,
    name,
    keySchema: [
      { AttributeName: hash[0], KeyType: 'HASH' },
      { AttributeName: range[0], KeyType: 'RANGE' },
    ],
    attributes: [hash, range].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
  };
}
type Key = [name: string, type: 'S' | 'N'];
