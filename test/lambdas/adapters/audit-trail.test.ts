import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from '../../../lambdas/adapters/audit-log.ts';
import { AuditTrail, TrailClosedError } from '../../../lambdas/adapters/audit-trail.ts';
import type { AuditDraft } from '../../../lambdas/domain/audit/entry.ts';
import type { SignedHead } from '../../../lambdas/domain/audit/signed-head.ts';
import { verifyTrail } from '../../../lambdas/domain/audit/verify-trail.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';

const logs = mockClient(CloudWatchLogsClient);
const draft: AuditDraft = { step: 'gated', actor: { kind: 'rule', id: 'gate:mode' }, what: 'passed' };

let dynamo: LocalDynamo;
let trail: AuditTrail;
let number = 0;

beforeAll(async () => {
  dynamo = await startDynamo();
  const log = new AuditLog(new CloudWatchLogsClient({ region: 'us-east-1' }), 'audit-group');
  trail = new AuditTrail(dynamo.client, 'audit', log);
});
afterAll(() => dynamo.stop());
beforeEach(() => {
  logs.reset();
  logs.on(PutLogEventsCommand).resolves({});
  logs.on(CreateLogStreamCommand).resolves({});
});

function contextOf(incident: string, key: string) {
  return {
    incident,
    key,
    cluster: 'prod',
    instanceId: 'i-0123456789abcdef0',
    at: '2026-11-21T06:00:00.000Z',
    fencing: 1,
    software: '0.1.0',
  };
}
function freshIncident(): string {
  number += 1;
  return `inc-${number}`;
}
const delivered = (): unknown[] =>
  logs
    .commandCalls(PutLogEventsCommand)
    .map((call) => JSON.parse(call.args[0].input.logEvents?.[0]?.message ?? ''));
const sign = async (last: { incident: string; seq: number; hash: string }): Promise<SignedHead> => ({
  version: 1,
  kind: 'signed-head',
  algorithm: 'ECDSA_SHA_256',
  keyId: 'k',
  signature: '',
  incident: last.incident,
  seq: last.seq,
  hash: last.hash,
});

describe('AuditTrail', () => {
  it('chains the entries and delivers each to the log group', async () => {
    const incident = freshIncident();

    await trail.append(draft, contextOf(incident, 'a'));
    await trail.append({ ...draft, what: 'second' }, contextOf(incident, 'b'));

    const entries = await trail.entries(incident);
    expect(verifyTrail(entries)).toMatchObject({ state: 'open', entries: 2 });
    expect(delivered()).toEqual(entries);
  });

  it('writes the same step once, however often a function is retried', async () => {
    const incident = freshIncident();

    const first = await trail.append(draft, contextOf(incident, 'a'));
    const second = await trail.append({ ...draft, what: 'again' }, contextOf(incident, 'a'));

    expect(first.existed).toBe(false);
    expect(second).toEqual({ entry: first.entry, existed: true });
    expect(await trail.entries(incident)).toHaveLength(1);
  });

  it('keeps the chain whole when many write at once', async () => {
    const incident = freshIncident();

    await Promise.all(
      Array.from({ length: 6 }, (_, index) => trail.append(draft, contextOf(incident, `k${index}`))),
    );

    expect(verifyTrail(await trail.entries(incident))).toMatchObject({ state: 'open', entries: 6 });
  });

  it('fails when the log group rejects the line, and delivers it at the next attempt', async () => {
    const incident = freshIncident();
    logs
      .on(PutLogEventsCommand)
      .resolvesOnce({ rejectedLogEventsInfo: { tooOldLogEventEndIndex: 1 } })
      .resolves({});

    await expect(trail.append(draft, contextOf(incident, 'a'))).rejects.toThrow(/rejected an entry/);
    await trail.append(draft, contextOf(incident, 'a'));

    expect(delivered()).toHaveLength(2);
    expect(await trail.entries(incident)).toHaveLength(1);
  });

  it('goes on without the log group where the caller cleans up, and delivers at the close', async () => {
    const incident = freshIncident();
    logs.on(PutLogEventsCommand).rejectsOnce(new Error('logs are down')).resolves({});
    const undelivered: unknown[] = [];

    await trail.append(draft, contextOf(incident, 'a'), (error) => undelivered.push(error));
    await trail.close(incident, sign);

    expect(undelivered).toMatchObject([{ message: 'logs are down' }]);
    expect(delivered().slice(1)).toMatchObject([{ seq: 0 }, { kind: 'signed-head' }]);
  });

  it('makes the stream of an incident when it is not there yet', async () => {
    const incident = freshIncident();
    logs
      .on(PutLogEventsCommand)
      .rejectsOnce(new ResourceNotFoundException({ message: 'no stream', $metadata: {} }))
      .resolves({});

    await trail.append(draft, contextOf(incident, 'a'));

    expect(logs.commandCalls(CreateLogStreamCommand)[0]?.args[0].input).toEqual({
      logGroupName: 'audit-group',
      logStreamName: incident,
    });
  });

  it('shares the stream with whoever made it first, and fails when it cannot be made', async () => {
    const noStream = new ResourceNotFoundException({ message: 'no stream', $metadata: {} });
    const existed = new ResourceAlreadyExistsException({ message: 'there', $metadata: {} });
    logs.on(PutLogEventsCommand).rejectsOnce(noStream).resolvesOnce({}).rejectsOnce(noStream).resolves({});
    logs.on(CreateLogStreamCommand).rejectsOnce(existed).rejectsOnce(new Error('AccessDenied'));

    await trail.append(draft, contextOf(freshIncident(), 'a'));
    await expect(trail.append(draft, contextOf(freshIncident(), 'a'))).rejects.toThrow('AccessDenied');
  });

  it('reads a trail that is longer than one answer of the table', async () => {
    const incident = freshIncident();
    const details = { text: 'x'.repeat(300_000) };

    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      await trail.append({ ...draft, details }, contextOf(incident, key));
    }

    expect(await trail.entries(incident)).toHaveLength(5);
  });

  it('signs again when somebody wrote between its look and its signature', async () => {
    const incident = freshIncident();
    await trail.append(draft, contextOf(incident, 'a'));
    let signed = 0;

    await trail.close(incident, async (last) => {
      signed += 1;
      if (signed === 1) await trail.append(draft, contextOf(incident, 'b'));
      return sign(last);
    });

    expect(delivered()).toMatchObject([{ seq: 0 }, { seq: 1 }, { kind: 'signed-head', seq: 1 }]);
  });

  it('closes once, after everything was delivered, and takes nothing afterwards', async () => {
    const incident = freshIncident();
    logs.on(PutLogEventsCommand).rejectsOnce(new Error('logs are down')).resolves({});
    await expect(trail.append(draft, contextOf(incident, 'a'))).rejects.toThrow('logs are down');

    await trail.close(incident, sign);
    await trail.close(incident, sign);

    expect(delivered().slice(1)).toMatchObject([
      { seq: 0, step: 'gated' },
      { kind: 'signed-head', seq: 0 },
    ]);
    await expect(trail.append(draft, contextOf(incident, 'late'))).rejects.toThrow(TrailClosedError);
    expect(await trail.append(draft, contextOf(incident, 'a'))).toMatchObject({ existed: true });
  });
});
