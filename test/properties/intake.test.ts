import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Alarm } from '../../lambdas/domain/alarm.ts';
import { aboutNode } from '../../lambdas/domain/intake/composite.ts';
import { alarmOf, executionName } from '../../lambdas/domain/intake/execution.ts';
import { type KnownInstance, locate, type NodeAlarm } from '../../lambdas/domain/intake/locate.ts';
import { InstanceId, type RawAlarm, sourceIds } from '../../lambdas/domain/intake/raw-alarm.ts';
import { readMessage } from '../../lambdas/domain/intake/read-message.ts';
import { intakeReasons } from '../../lambdas/domain/intake/refusal.ts';
import { judge } from '../../lambdas/domain/intake/webhook-request.ts';
import { printable } from '../../lambdas/domain/printable.ts';
import { about, payload, payloadNames } from '../intake-payloads/payloads.ts';
import { alter, ways } from './alter.ts';
import { runs } from './runs.ts';

const ampTopicArn = 'arn:aws:sns:us-east-1:000000000000:alerts';
const now = new Date(about.at.getTime() + 60_000);
const delivery = { messageId: 'm', sentAt: now, senderId: 'AROAEXAMPLE:alice' };
const read = (body: string) => readMessage(body, delivery, { sources: sourceIds, ampTopicArn }, now);

/** A recorded payload, in the message that its source makes of it. */
function message(name: string): unknown {
  const given = payload(name);
  if (name.startsWith('cloudwatch')) return given;
  if (name.startsWith('amp')) return { Type: 'Notification', TopicArn: ampTopicArn, Message: given };
  return { source: name, payload: given };
}

const hostile = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'i-0deadbeef0deadbee',
    '*',
    '',
    '\u0000',
    '\ud800',
    'x'.repeat(5000),
  ),
);

/** A recorded message in which one thing, however deep, is something else, or has a neighbour that does not belong there. */
const altered = fc
  .tuple(fc.constantFrom(...payloadNames), fc.nat(), hostile, fc.constantFrom(...ways))
  .map(([name, where, value, how]) => {
    const whole = JSON.parse(JSON.stringify(message(name)));
    alter(whole, where, how, value);
    return JSON.stringify(whole);
  });

const bodies = fc.oneof(
  { weight: 4, arbitrary: altered },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.json() },
  {
    weight: 1,
    arbitrary: fc
      .record({ source: fc.oneof(fc.constantFrom(...sourceIds), fc.string()), payload: fc.jsonValue() })
      .map((one) => JSON.stringify(one)),
  },
);

/** What an alarm calls its node, or the alarm that it is about. */
function named({ target }: RawAlarm): string {
  if ('instanceId' in target) return target.instanceId;
  return 'nodeName' in target ? target.nodeName : target.alarmName;
}

describe('whatever comes by the queue', () => {
  it('is read without an error, to alarms and refusals with a reason of the list; never to silence', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const { alarms, refusals } = read(body);
        expect(alarms.length + refusals.length).toBeGreaterThan(0);
        for (const { reason, sentence } of refusals) {
          expect(intakeReasons).toContain(reason);
          expect(sentence.length).toBeGreaterThan(0);
          expect(sentence.length).toBeLessThanOrEqual(500);
          expect(printable(sentence)).toBe(sentence);
          expect(sentence).not.toMatch(/[\t\n]/);
        }
      }),
      runs(300),
    );
  });

  it('names in the message itself what its alarms are about', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        for (const alarm of read(body).alarms) expect(body).toContain(named(alarm));
      }),
      runs(300),
    );
  });

  const instances: KnownInstance[] = [
    { instanceId: about.instanceId, state: 'running', cluster: about.cluster, nodeNames: [about.nodeName] },
    {
      instanceId: 'i-0deadbeef0deadbee',
      state: 'running',
      cluster: about.cluster,
      nodeNames: ['other.ec2.internal', ''],
    },
    {
      instanceId: 'i-0123456789abcdef1',
      state: 'terminated',
      cluster: about.cluster,
      nodeNames: [about.nodeName],
    },
    { instanceId: 'i-0123456789abcdef2', state: 'running', nodeNames: ['i-0123456789abcdef2'] },
  ];

  it('starts something only for an instance that it names, which runs as a node of a configured cluster', () => {
    const dimensions = new Map([['dying-a', [{ ClusterName: about.cluster, InstanceId: about.instanceId }]]]);
    let started = 0;
    fc.assert(
      fc.property(bodies, (body) => {
        for (const raw of read(body).alarms) {
          const alarm = aboutNode(raw, dimensions);
          if ('sentence' in alarm) continue;
          const located = locate(alarm, instances, [about.cluster]);
          if ('sentence' in located) continue;
          started += 1;
          const { instanceId, cluster } = located;
          const instance = instances.find((one) => one.instanceId === instanceId);
          expect(instance).toMatchObject({ state: 'running', cluster: about.cluster });
          expect(cluster).toBe(about.cluster);
          // By its id, by the name of its node, or by that of an alarm that is about it.
          const names = [instanceId, ...(instance?.nodeNames ?? []), 'dying-a'].filter((name) => name !== '');
          expect(names).toContain(named(raw));
          expect(body).toContain(named(raw));
          // What it starts is what the state machine takes.
          expect(Alarm.safeParse(alarmOf(located)).success).toBe(true);
          expect(executionName(located)).toMatch(/^[A-Za-z0-9_-]{1,80}$/);
        }
      }),
      runs(500),
    );
    expect(started).toBeGreaterThan(50);
  });
});

describe('a name of an execution', () => {
  it('is fit for Step Functions, and the same for the same event only', () => {
    const event = fc.record({
      eventId: fc.string({ unit: 'binary', maxLength: 256 }),
      at: fc.string({ unit: 'binary', maxLength: 40 }),
    });
    const name = ({ eventId, at }: { eventId: string; at: string }) => {
      const alarm: NodeAlarm = {
        source: 'census',
        eventId,
        at,
        state: 'firing',
        target: { instanceId: about.instanceId },
        reason: '',
      };
      return executionName({ alarm, instanceId: about.instanceId, cluster: about.cluster });
    };
    fc.assert(
      fc.property(event, event, (one, two) => {
        expect(name(one)).toMatch(/^[A-Za-z0-9_-]{1,80}$/);
        expect(InstanceId.safeParse(name(one).slice(0, 19)).success).toBe(true);
        expect(name(one) === name(two)).toBe(one.eventId === two.eventId && one.at === two.at);
      }),
      runs(300),
    );
  });
});

describe('whatever is sent to the webhook', () => {
  it('is judged without an error, and a token is found only in a bearer header', () => {
    const header = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((token) => `Bearer ${token}`),
      fc.constant(undefined),
    );
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', '', 'post'),
      headers: fc.record({
        authorization: header,
        'content-type': fc.oneof(fc.constant('application/json; charset=utf-8'), fc.string()),
      }),
      body: fc.oneof(fc.string({ unit: 'binary' }), bodies),
      isBase64Encoded: fc.boolean(),
    });
    fc.assert(
      fc.property(request, (given) => {
        const judged = judge(given);
        if (judged.token !== undefined) {
          expect(given.headers.authorization?.toLowerCase()).toContain('bearer ');
          expect(given.headers.authorization).toContain(judged.token);
        }
        if ('payload' in judged) expect(given.method).toBe('POST');
        else expect(judged.refused[0]).toBeGreaterThanOrEqual(400);
      }),
      runs(300),
    );
  });
});
