import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Settings } from '../../lambdas/domain/settings.ts';
import { action, denyView } from '../../lambdas/domain/slack/interaction.ts';
import { type LocalUrl, serveFunctionUrl } from '../../local/engine/function-url.ts';
import { drainQueue, notify } from '../../local/engine/queues.ts';
import { SlackServer } from './slack-server.ts';
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
  return test.run({ node: 'v2-zombies', cluster }, async (incident) => {
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

  it.each(['down', 'invalid_auth', 'error 500'] as const)(
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

  it.each(['down', 'invalid_auth'] as const)(
    '%s for good: after ten deliveries the message lies with the dead letters, and nothing was posted',
    async (trouble) => {
      if (trouble === 'down') slack.down = true;
      else slack.troubles.push(...Array.from({ length: 10 }, () => trouble));
      const { subscriptions, queues } = test.engine.stack;
      const queue = queues.find(({ url }) => url === posts());
      const topic = subscriptions.find(({ queueArn }) => queueArn === queue?.arn)?.topicArn ?? '';
      const message = {
        version: 1,
        kind: 'call-a-person',
        incident: `lost-${trouble}`,
        cluster: clusters.together,
        title: 'Look at this node',
        text: 'Nothing helped.',
      };
      notify(test.engine, topic, JSON.stringify(message));
      const failures = () => test.engine.cloud.metrics.filter(({ name }) => name === 'SlackFailed').length;
      const before = failures();
      const ends: string[] = [];
      for (let delivery = 1; delivery <= 10; delivery += 1) {
        const { done, left, dead } = await drainQueue(test.engine, posts());
        ends.push(`${done} ${left} ${dead}`);
      }

      expect(ends).toEqual([...Array.from({ length: 9 }, () => '0 1 0'), '0 0 1']);
      expect(slack.messages).toEqual([]);
      expect(failures() - before).toBe(10);
    },
  );
});
