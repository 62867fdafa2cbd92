import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Settings } from '../../lambdas/domain/settings.ts';
import { action, denyView } from '../../lambdas/domain/slack/interaction.ts';
import type { Disturbance } from '../../local/cloud/cloud.ts';
import { accessKeyOf } from '../../local/cloud/wire.ts';
import { type LocalUrl, serveFunctionUrl } from '../../local/engine/function-url.ts';
import { drainQueue, notify } from '../../local/engine/queues.ts';
import type { LocalNode } from '../../local/local-node.ts';
import { passing, permanent, SlackServer } from './slack-server.ts';
import {
  clusters,
  startTestEngine,
  type TestEngine,
  type TestIncident,
  testSettings,
} from './test-engine.ts';

const channel = 'C012AB3CD';
const managers = 'C0MANAGER';
const teamId = 'T012AB3CD';
const slack = new SlackServer([channel, managers]);

let test: TestEngine;
let door: LocalUrl;
let stop: () => void;
beforeAll(async () => {
  const SLACK_API_URL = await slack.start();
  const base = testSettings();
  const cluster = base.clusters[clusters.together];
  const settings = Settings.parse({
    ...base,
    slack: { enabled: true, teamId },
    people: {
      ana: { slack: 'U0ANA0001', groups: ['oncall'] },
      bob: { slack: 'U0BOB0001', groups: ['oncall'] },
      max: { slack: 'U0MAX0001', groups: ['managers'] },
    },
    clusters: {
      ...base.clusters,
      [clusters.together]: {
        ...cluster,
        approval: {
          ...cluster?.approval,
          quorum: { low: 1 },
          expirySeconds: { low: 40, medium: 40, high: 40 },
        },
        slack: { channel, escalationChannel: managers },
      },
    },
  });
  test = await startTestEngine(settings, { environment: { SLACK_API_URL } });
  const { outputs } = test.engine.stack;
  const { signingSecret, botToken } = slack;
  test.engine.cloud.secrets.put(outputs.SlackSecretArn ?? '', JSON.stringify({ signingSecret, botToken }));
  door = await serveFunctionUrl(test.engine, 'CgroupMedic-slack');
  // What SNS and Lambda do by themselves in an account.
  stop = test.engine.onPublished(({ topicArn, message }) => {
    notify(test.engine, topicArn, message);
    void deliver();
  });
}, 120_000);
afterAll(async () => {
  stop?.();
  await door?.close();
  await test?.close();
  await slack.stop();
});
afterEach(() => {
  slack.down = false;
  slack.troubles.length = 0;
  for (const list of [slack.messages, slack.ephemerals, slack.views, slack.calls]) list.length = 0;
});

const posts = () =>
  test.engine.stack.queues.find(({ logicalId }) => logicalId.startsWith('SlackPosts'))?.url ?? '';
const deadLetters = () => test.engine.stack.queues.find(({ url }) => url === posts())?.deadLetters?.url ?? '';
const counted = (metric: string) => test.engine.cloud.metrics.filter(({ name }) => name === metric).length;

/** A message for people, which `tell` puts into the queue, and what was counted before. */
function told(incident: string): { before: Record<'SlackFailed' | 'SlackRefused', number>; tell(): void } {
  const { subscriptions, queues } = test.engine.stack;
  const queue = queues.find(({ url }) => url === posts());
  const topic = subscriptions.find(({ queueArn }) => queueArn === queue?.arn)?.topicArn ?? '';
  const message = {
    version: 1,
    kind: 'call-a-person',
    incident,
    cluster: clusters.together,
    title: 'Look at this node',
    text: 'Nothing helped.',
  };
  return {
    before: { SlackFailed: counted('SlackFailed'), SlackRefused: counted('SlackRefused') },
    tell: () => void notify(test.engine, topic, JSON.stringify(message)),
  };
}
let delivering = Promise.resolve();
/** One delivery after the other, so that the order of what is posted is that of what was told. */
function deliver(): Promise<void> {
  delivering = delivering.then(async () => void (await drainQueue(test.engine, posts())));
  return delivering;
}

type Answer = { status: number; body: string };
async function post(body: string, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(door.url, { method: 'POST', body, headers });
  return { status: response.status, body: await response.text() };
}

const form = (payload: object) => new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
const click = (user: string, what: string, approvalId: string, team = teamId) =>
  form({
    type: 'block_actions',
    team: { id: team },
    user: { id: user },
    channel: { id: channel },
    trigger_id: slack.trigger(),
    actions: [{ action_id: what, value: approvalId }],
  });
const submit = (user: string, approvalId: string, reason: string) =>
  form({
    type: 'view_submission',
    team: { id: teamId },
    user: { id: user },
    view: {
      callback_id: denyView,
      private_metadata: approvalId,
      state: { values: { reason: { text: { value: reason } } } },
    },
  });
const send = (body: string) => post(body, slack.sign(body));

/** Runs an incident that asks, and does `meanwhile` once its approval waits. */
function asking(
  meanwhile: (approvalId: string) => Promise<void>,
  cluster: string = clusters.together,
  change: (node: LocalNode) => LocalNode = (node) => node,
): Promise<TestIncident> {
  const work: Promise<void>[] = [];
  const ended = test.engine.onPublished(({ message }) => {
    const { kind, approvalId } = JSON.parse(message);
    if (kind !== 'approval-requested') return;
    const done = delivering.then(() => meanwhile(approvalId));
    // What goes wrong in it is seen where it is awaited.
    done.catch(() => {});
    work.push(done);
  });
  return test.run({ node: 'v2-zombies', cluster, change }, async (incident) => {
    ended();
    await Promise.all(work);
    await deliver();
    return incident;
  });
}

const buttonsOf = (message: { blocks: { type?: unknown }[] } | undefined) =>
  (message?.blocks ?? []).filter(({ type }) => type === 'actions').length;
const posted = () => slack.messages.filter(({ thread }) => thread === undefined);
const threadTitles = () =>
  slack.messages.filter(({ thread }) => thread !== undefined).map(({ text }) => text);
const last = (kind: string) => expect.stringContaining(kind);

describe('an approval in Slack', () => {
  it('is asked for on a card, given by a click, and told to its end in the thread', async () => {
    const answers: Answer[] = [];
    const incident = await asking(async (approvalId) => {
      await deliver();
      expect(buttonsOf(posted()[0])).toBe(1);
      answers.push(await send(click('U0ANA0001', action.evidence, approvalId)));
      answers.push(await send(click('U0ANA0001', action.approve, approvalId)));
    });

    expect(answers).toEqual([
      { status: 200, body: '{}' },
      { status: 200, body: '{}' },
    ]);
    expect(slack.views).toHaveLength(1);
    expect(JSON.stringify(slack.views)).toContain('How we know:');
    expect(incident.record.outcome).toBe('cured');
    expect(incident.record.rungs[0]?.approval).toMatchObject({ status: 'approved', by: 'ana' });
    const [card, ...others] = posted();
    expect(others).toEqual([]);
    expect(card).toMatchObject({ channel, edited: true });
    expect(buttonsOf(card)).toBe(0);
    expect(JSON.stringify(card?.blocks)).toContain('*approved* by ana');
    expect(slack.messages.every(({ thread }) => thread === undefined || thread === card?.ts)).toBe(true);
    expect(threadTitles()).toEqual([
      last('approved by ana'),
      last(': done'),
      last(': cured'),
      last('dying-memcgs, cured'),
    ]);
    expect(slack.ephemerals).toEqual([]);
    // Nothing of Step Functions goes anywhere near Slack, nor its own secrets into a log.
    const log = readFileSync(join(test.home, 'functions.log'), 'utf8');
    for (const secret of [slack.botToken, slack.signingSecret]) expect(log).not.toContain(secret);
    expect(JSON.stringify(slack.calls)).not.toMatch(/taskToken|task-token/i);
  });

  it('is denied with a reason, and without one not', async () => {
    const answers: Answer[] = [];
    const incident = await asking(async (approvalId) => {
      await deliver();
      answers.push(await send(click('U0ANA0001', action.deny, approvalId)));
      expect(slack.views).toMatchObject([{ callback_id: denyView, private_metadata: approvalId }]);
      answers.push(await send(submit('U0ANA0001', approvalId, '  ')));
      answers.push(await send(submit('U0ANA0001', approvalId, 'a release runs')));
    });

    expect(JSON.parse(answers[1]?.body ?? '')).toMatchObject({
      response_action: 'errors',
      errors: { reason: expect.stringContaining('needs a reason') },
    });
    expect(answers[2]).toEqual({ status: 200, body: '{}' });
    expect(incident.record).toMatchObject({ outcome: 'denied', reason: 'a release runs' });
  });

  it('is denied where that takes longer than Slack waits: the form says so, and does not ask for the same again', async () => {
    let answer: Answer | undefined;
    const incident = await asking(async (approvalId) => {
      const halt: Disturbance = ({ service, call, body, message }) => {
        const writes = service === 'dynamodb' && call === 'UpdateItem';
        const pid = test.engine.functions.pidOf(accessKeyOf(message));
        if (!writes || pid === undefined || !body.includes(`APPROVAL#${approvalId}`)) return undefined;
        test.engine.cloud.disturbances.delete(halt);
        process.kill(pid, 'SIGSTOP');
        setTimeout(() => process.kill(pid, 'SIGCONT'), 3000);
        return undefined;
      };
      test.engine.cloud.disturbances.add(halt);
      answer = await send(submit('U0ANA0001', approvalId, 'a release runs'));
    });

    expect(JSON.parse(answer?.body ?? '')).toMatchObject({
      response_action: 'update',
      view: { type: 'modal', blocks: [{ text: { text: expect.stringContaining('It is being recorded.') } }] },
    });
    expect(incident.record).toMatchObject({ outcome: 'denied', reason: 'a release runs' });
  });

  it('is void on its card where the node has moved on, and asked for anew on another, which says why', async () => {
    let root = '';
    const change = (node: LocalNode): LocalNode => {
      root = node.root ?? '';
      return node;
    };
    const incident = await asking(
      async (approvalId) => {
        await deliver();
        const isFirst = approvalId.endsWith('v0');
        const boot = join(root, 'proc/sys/kernel/random/boot_id');
        if (isFirst) writeFileSync(boot, '00000000-0000-4000-8000-00000000000a\n');
        await send(
          isFirst ? click('U0ANA0001', action.approve, approvalId) : submit('U0BOB0001', approvalId, 'no'),
        );
      },
      clusters.together,
      change,
    );

    expect(incident.record.outcome).toBe('denied');
    const [first, second] = slack.messages.filter(({ edited }) => edited);
    expect(JSON.stringify(first?.blocks)).toContain('*void*');
    expect(JSON.stringify(first?.blocks)).toContain('approved by ana, and not done: the node has moved on');
    expect(JSON.stringify(second?.blocks)).toContain('*denied* by bob');
    expect(JSON.stringify(second?.blocks)).toContain('an approval before this one is void');
    expect(slack.messages.map(buttonsOf)).not.toContain(1);
  });

  it('is told to its end in the thread, where somebody has deleted its card', async () => {
    const incident = await asking(async (approvalId) => {
      await deliver();
      const card = slack.messages.splice(0, 1)[0];
      expect(buttonsOf(card)).toBe(1);
      await send(submit('U0ANA0001', approvalId, 'enough'));
    });

    expect(incident.record.outcome).toBe('denied');
    expect(threadTitles()).toEqual([last('denied by ana'), last('dying-memcgs, denied')]);
    expect(test.engine.cloud.queues.take(deadLetters())).toEqual([]);
  });

  it('is of those whom the settings know and name; the others are told so, privately, and nothing is recorded', async () => {
    const incident = await asking(async (approvalId) => {
      await deliver();
      expect(await send(click('U0STRANGER', action.approve, approvalId))).toEqual({
        status: 200,
        body: '{}',
      });
      expect(await send(click('U0MAX0001', action.approve, approvalId))).toEqual({ status: 200, body: '{}' });
      await send(submit('U0BOB0001', approvalId, 'enough'));
    });

    expect(slack.ephemerals).toMatchObject([
      { user: 'U0STRANGER', text: last('not one of the people') },
      { user: 'U0MAX0001', text: last('max may not decide') },
    ]);
    const trail = incident.auditLines.map((line) => JSON.parse(line));
    const decided = trail.filter(({ step }) => step === 'approval.decided');
    expect(decided.map(({ actor, outcome }) => `${actor.id} ${outcome}`)).toEqual([
      'max refused',
      'bob deny',
    ]);
  });

  it('takes a request once, and from Slack only: everything else gets one answer', async () => {
    const refused: Answer[] = [];
    const incident = await asking(async (approvalId) => {
      const good = click('U0ANA0001', action.approve, approvalId);
      const now = Math.floor(Date.now() / 1000);
      const signed = slack.sign(good);
      refused.push(await post(good, {}));
      refused.push(await post(`${good}&x=1`, signed));
      refused.push(await post(good, slack.sign(good, now - 400)));
      refused.push(await post(good, slack.sign(good, now + 400)));
      refused.push(
        await post(good, { ...signed, 'x-slack-signature': `${signed['x-slack-signature']},v0=0` }),
      );
      const foreign = click('U0ANA0001', action.approve, approvalId, 'T0ELSEWHERE');
      refused.push(await post(foreign, slack.sign(foreign)));
      const large = `${good}${'x'.repeat(70_000)}`;
      refused.push(await post(large, slack.sign(large)));
      const nonsense = 'payload=%7B%7D';
      refused.push(await post(nonsense, slack.sign(nonsense)));
      const evidence = click('U0ANA0001', action.evidence, approvalId);
      const once = slack.sign(evidence);
      expect((await post(evidence, once)).status).toBe(200);
      refused.push(await post(evidence, once));
      refused.push({
        ...refused[0],
        ...(await fetch(door.url).then(async (got) => ({ status: got.status, body: await got.text() }))),
      });
      await send(submit('U0ANA0001', approvalId, 'enough'));
    });

    expect(new Set(refused.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([JSON.stringify({ status: 401, body: '{"message":"not accepted"}' })]),
    );
    expect(incident.record.outcome).toBe('denied');
  });
});

it('gives one answer to every request that is forged, changed or sent again, by the function as it is deployed', async () => {
  const good = click('U0STRANGER', action.approve, 'inc-r0-v0');
  const signed = slack.sign(good);
  const event = (headers: Record<string, string>, body: string, isBase64Encoded = false) => ({
    requestContext: { requestId: 'r', http: { method: 'POST', sourceIp: '192.0.2.1' } },
    headers,
    body,
    isBase64Encoded,
  });
  const call = (sent: ReturnType<typeof event>) => test.engine.functions.invoke('CgroupMedic-slack', sent);
  const changed = (text: string, at: number) => {
    const index = at % text.length;
    return `${text.slice(0, index)}${text[index] === '0' ? '1' : '0'}${text.slice(index + 1)}`;
  };
  const of = (name: 'x-slack-signature' | 'x-slack-request-timestamp', at: number) => ({
    ...signed,
    [name]: changed(signed[name] ?? '', at),
  });
  const answers = new Set<string>();
  for (let at = 0; at < 100; at += 1) {
    answers.add(JSON.stringify(await call(event(of('x-slack-signature', at), good))));
    answers.add(JSON.stringify(await call(event(of('x-slack-request-timestamp', at), good))));
    answers.add(JSON.stringify(await call(event(signed, changed(good, at * 7)))));
    const coded = Buffer.from(changed(good, at * 5)).toString('base64');
    answers.add(JSON.stringify(await call(event(signed, coded, true))));
  }
  // The body in base64 is the same body, and is taken; once.
  const whole = event(signed, Buffer.from(good).toString('base64'), true);
  expect(await call(whole)).toMatchObject({ statusCode: 200 });
  answers.add(JSON.stringify(await call(whole)));
  answers.add(JSON.stringify(await call(event(signed, good))));

  expect([...answers].map((answer) => JSON.parse(answer))).toEqual([
    expect.objectContaining({ statusCode: 401, body: '{"message":"not accepted"}' }),
  ]);
});

describe('when Slack is not well', () => {
  it('waits as long as it asks for, and posts', async () => {
    slack.troubles.push('busy');
    const incident = await asking(async (approvalId) => {
      await deliver();
      await send(submit('U0ANA0001', approvalId, 'enough'));
    });

    expect(incident.record.outcome).toBe('denied');
    expect(posted()).toHaveLength(1);
  });

  it.each(['down', 'internal_error', 'error 500'] as const)(
    '%s: the incident goes on by another door, the failure shows, and the queue delivers again',
    async (trouble) => {
      if (trouble === 'down') slack.down = true;
      // For the first delivery, and for the one that the test asks for.
      else slack.troubles.push(trouble, trouble);
      const incident = await asking(async (approvalId) => {
        await deliver();
        expect(posted()).toEqual([]);
        const answer = await test.engine.functions.invoke(
          test.engine.stack.outputs.DecideFunctionName ?? '',
          {
            approvalId,
            decision: 'deny',
            reason: 'by another door',
            by: { door: 'console', person: { id: 'ana', known: true, groups: ['oncall'], aliases: [] } },
          },
        );
        expect(answer).toMatchObject({ status: 'recorded' });
      });
      slack.down = false;
      await deliver();

      expect(incident.record).toMatchObject({ outcome: 'denied', reason: 'by another door' });
      expect(test.engine.cloud.metrics.some(({ name }) => name === 'SlackFailed')).toBe(true);
      // The card comes too late to ask: only how it ended is told.
      expect(slack.messages.map(buttonsOf)).not.toContain(1);
      expect(slack.messages.map(({ text }) => text)).toContainEqual(last('denied by ana'));
    },
  );

  it.each(permanent)(
    '%s: the message is a dead letter at once, and people hear of it; it can be sent again once that is mended',
    async (refusal) => {
      const { before, tell } = told(`refused-${refusal}`);
      slack.troubles.push(refusal);
      tell();

      expect(await drainQueue(test.engine, posts())).toEqual({ done: 1, left: 0, dead: 0 });
      expect(slack.messages).toEqual([]);
      expect(counted('SlackRefused') - before.SlackRefused).toBe(1);
      expect(counted('SlackFailed') - before.SlackFailed).toBe(1);
      // What start-message-move-task does.
      const [letter, ...others] = test.engine.cloud.queues.take(deadLetters());
      expect(others).toEqual([]);
      test.engine.cloud.queues.put({ queueUrl: posts(), body: letter?.body ?? '' });
      expect(await drainQueue(test.engine, posts())).toEqual({ done: 1, left: 0, dead: 0 });
      expect(slack.messages).toMatchObject([{ text: 'Look at this node' }]);
      // Nothing of it is posted twice, however often it is sent again.
      test.engine.cloud.queues.put({ queueUrl: posts(), body: letter?.body ?? '' });
      await drainQueue(test.engine, posts());
      expect(slack.messages).toHaveLength(1);
    },
  );

  it.each(passing)('%s passes: the message is delivered again, and is no dead letter', async (refusal) => {
    const { before, tell } = told(`passing-${refusal}`);
    slack.troubles.push(refusal);
    tell();

    expect(await drainQueue(test.engine, posts())).toEqual({ done: 0, left: 1, dead: 0 });
    expect(await drainQueue(test.engine, posts())).toEqual({ done: 1, left: 0, dead: 0 });
    expect(slack.messages).toMatchObject([{ text: 'Look at this node' }]);
    expect(counted('SlackRefused') - before.SlackRefused).toBe(0);
    expect(test.engine.cloud.queues.take(deadLetters())).toEqual([]);
  });

  it.each(['down', 'internal_error'] as const)(
    '%s for good: after ten deliveries the message lies with the dead letters, and nothing was posted',
    async (trouble) => {
      if (trouble === 'down') slack.down = true;
      else slack.troubles.push(...Array.from({ length: 10 }, () => trouble));
      const { before, tell } = told(`lost-${trouble}`);
      tell();
      const ends: string[] = [];
      for (let delivery = 1; delivery <= 10; delivery += 1) {
        const { done, left, dead } = await drainQueue(test.engine, posts());
        ends.push(`${done} ${left} ${dead}`);
      }

      expect(ends).toEqual([...Array.from({ length: 9 }, () => '0 1 0'), '0 0 1']);
      expect(slack.messages).toEqual([]);
      expect(counted('SlackFailed') - before.SlackFailed).toBe(10);
      expect(test.engine.cloud.queues.take(deadLetters())).toHaveLength(1);
    },
  );
});
