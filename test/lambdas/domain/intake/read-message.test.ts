import { describe, expect, it } from 'vitest';
import { readMessage } from '../../../../lambdas/domain/intake/read-message.ts';
import { about, payload } from '../../../intake-payloads/payloads.ts';

const ampTopicArn = 'arn:aws:sns:us-east-1:000000000000:alerts';
const services = ['cloudwatch', 'amp', 'alertmanager', 'census'] as const;
const delivery = { messageId: 'm', sentAt: about.at, senderId: 'AROAEXAMPLE:alice' };

function read(
  message: unknown,
  { sources = services as readonly ((typeof services)[number] | 'by-hand')[], later = 0 } = {},
) {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  return readMessage(body, delivery, { sources, ampTopicArn }, new Date(about.at.getTime() + later * 1000));
}

const reasons = (...of: Parameters<typeof read>) => {
  const { alarms, refusals } = read(...of);
  return alarms.length > 0 ? 'taken' : refusals.map(({ reason }) => reason).join();
};

const notification = (TopicArn: string) => ({ Type: 'Notification', TopicArn, Message: payload('amp') });
const envelope = (name: string) => ({
  source: name,
  received: about.at.toISOString(),
  payload: payload(name),
});

describe('a message of the queue of alarms', () => {
  it('is of CloudWatch, of the topic, or says of which of our sources it is', () => {
    expect(read(payload('cloudwatch-instance'))).toMatchObject({ source: 'cloudwatch', refusals: [] });
    expect(read(notification(ampTopicArn))).toMatchObject({ source: 'amp', refusals: [] });
    expect(read(envelope('alertmanager'))).toMatchObject({ source: 'alertmanager', refusals: [] });
    expect(read(envelope('census'))).toMatchObject({ source: 'census', refusals: [] });
  });

  it('may be as large as the largest that there are, and not a byte larger', () => {
    const event = JSON.stringify(payload('cloudwatch-instance'));
    const padded = (bytes: number) => event + ' '.repeat(bytes - Buffer.byteLength(event));
    expect(reasons(padded(262_144))).toBe('taken');
    expect(reasons(padded(262_145))).toBe('oversized');
  });

  it('is forged where it comes of another topic, or of a source that does not write here', () => {
    expect(reasons(notification(`${ampTopicArn}2`))).toBe('forged');
    expect(reasons(envelope('by-hand'))).toBe('forged');
    expect(reasons(payload('cloudwatch-instance'), { sources: ['by-hand'] })).toBe('forged');
    expect(reasons(envelope('by-hand'), { sources: ['by-hand'] })).toBe('taken');
    expect(reasons(envelope('census'), { sources: [] })).toBe('forged');
  });

  it.each([
    ['malformed', ''],
    ['malformed', 'null'],
    ['malformed', '[]'],
    ['malformed', '{"payload":{}}'],
    ['unknown-source', '{"source":"pagerduty","payload":{}}'],
    ['unknown-source', '{"source":"__proto__","payload":{}}'],
    ['malformed', '{"source":"census"}'],
  ])('is %s: %s', (reason, body) => {
    expect(reasons(body)).toBe(reason);
  });

  it.each([
    ['cloudwatch', payload('cloudwatch-instance'), 25 * 3600],
    ['amp', notification(ampTopicArn), 80 * 86_400],
    ['alertmanager', envelope('alertmanager'), 80 * 86_400],
    ['census', envelope('census'), 6 * 3600],
  ])('of %s is stale after its time, and when it is still to come', (_, message, oldest) => {
    expect(reasons(message, { later: oldest })).toBe('taken');
    expect(reasons(message, { later: oldest + 1 })).toBe('stale');
    expect(reasons(message, { later: -600 })).toBe('taken');
    expect(reasons(message, { later: -601 })).toBe('stale');
  });

  it('that an alarm has ended is never too late', () => {
    const event = payload('cloudwatch-instance');
    event.detail.state.value = 'OK';
    expect(reasons(event, { later: 30 * 86_400 })).toBe('taken');
  });

  it('holds at most a hundred alarms, and says of the others that they were left out', () => {
    const event = payload('cloudwatch-composite');
    const triggeringAlarms = Array.from({ length: 100 }, (_, index) => ({
      arn: `arn:aws:cloudwatch:us-east-1:000000000000:alarm:dying-${index}`,
      state: { value: 'ALARM' },
    }));
    event.detail.state.reasonData = JSON.stringify({ triggeringAlarms });
    expect(read(event).alarms).toHaveLength(100);
    const more = ['a', 'b'].map((name) => ({
      ...triggeringAlarms[0],
      arn: `${triggeringAlarms[0]?.arn}${name}`,
    }));
    event.detail.state.reasonData = JSON.stringify({ triggeringAlarms: [...triggeringAlarms, ...more] });
    const { alarms, refusals } = read(event);
    expect(alarms).toHaveLength(100);
    expect(refusals).toEqual([{ reason: 'too-many', sentence: expect.stringMatching(/^2 alarms/) }]);
  });
});
