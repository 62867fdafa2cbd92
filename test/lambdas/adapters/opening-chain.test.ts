import { CloudWatchLogsClient, PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from '../../../lambdas/adapters/audit-log.ts';
import { AuditTrail } from '../../../lambdas/adapters/audit-trail.ts';
import { OpeningChain } from '../../../lambdas/adapters/opening-chain.ts';
import type { AuditDraft } from '../../../lambdas/domain/audit/entry.ts';
import { verifyExport } from '../../../lambdas/domain/audit/verify-export.ts';
import { headOf, samplePem } from '../domain/audit-sample.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';

const logs = mockClient(CloudWatchLogsClient);
const draft: AuditDraft = { step: 'incident.opened', actor: { kind: 'alarm', id: 'a' }, what: 'opened' };

let dynamo: LocalDynamo;
let number = 0;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());
beforeEach(() => {
  logs.reset();
  logs.on(PutLogEventsCommand).resolves({});
});

class Killed extends Error {}

/** A process that dies after its n-th call: the call is made, and its answer reaches nobody. */
function processThatDies(after = Number.POSITIVE_INFINITY): { trail: AuditTrail; calls: () => number } {
  let calls = 0;
  const client = {
    async send(command: never) {
      if (calls >= after) throw new Killed();
      calls += 1;
      const answer = await dynamo.client.send(command).catch((error: unknown) => ({ error }));
      if (calls >= after) throw new Killed();
      if (typeof answer === 'object' && 'error' in answer) throw answer.error;
      return answer;
    },
  } as unknown as DynamoDBClient;
  const log = new AuditLog(new CloudWatchLogsClient({ region: 'us-east-1' }), 'audit-group');
  return { trail: new AuditTrail(client, 'audit', log), calls: () => calls };
}

function contextOf(incident: string, cluster: string, key = 'open') {
  return {
    incident,
    cluster,
    key,
    instanceId: 'i-0123456789abcdef0',
    at: new Date().toISOString(),
    fencing: null,
    software: '0.1.0',
  };
}

const open = (incident: string, cluster: string, { trail } = processThatDies(), key = 'open') =>
  trail.append(draft, contextOf(incident, cluster, key));

/** Closes incidents, and checks what the table holds of them as an export. */
async function verified(incidents: readonly string[]) {
  const { trail } = processThatDies();
  const lines: string[] = [];
  for (const incident of incidents) {
    await trail.close(incident, async (last) => headOf([last]));
    const entries = await trail.entries(incident);
    lines.push(...[...entries, headOf(entries)].map((line) => JSON.stringify(line)));
  }
  return verifyExport(
    lines.map((text, index) => ({ text, file: 'table', line: index + 1 })),
    samplePem,
  );
}

function freshCluster(): string {
  number += 1;
  return `cluster-${number}`;
}

describe('the openings of a cluster', () => {
  it('are numbered from 1, and each names the one before it; those of another cluster are another chain', async () => {
    const [cluster, other] = [freshCluster(), freshCluster()];
    const [a, b, c] = [`${cluster}-a`, `${cluster}-b`, `${cluster}-c`];

    const first = await open(a, cluster);
    const foreign = await open(b, other);
    const second = await open(c, cluster);

    expect(first).toMatchObject({ existed: false, entry: { opening: { number: 1, previous: null } } });
    expect(foreign.entry.opening).toEqual({ number: 1, previous: null });
    expect(second.entry.opening).toEqual({ number: 2, previous: { incident: a, hash: first.entry.hash } });
    expect(await verified([a, b, c])).toMatchObject({
      ok: true,
      clusters: [
        { cluster, from: 1, to: 2 },
        { cluster: other, from: 1, to: 1 },
      ],
    });
  });

  it('are taken by the first entry of an incident only', async () => {
    const cluster = freshCluster();
    await open(`${cluster}-a`, cluster);
    const later = await open(`${cluster}-a`, cluster, processThatDies(), 'later');

    expect(later.entry).toMatchObject({ seq: 1 });
    expect(later.entry).not.toHaveProperty('opening');
  });

  it('have no gap and nothing twice, however many incidents open at once', { timeout: 60_000 }, async () => {
    const cluster = freshCluster();
    const incidents = Array.from({ length: 40 }, (_, index) => `${cluster}-${index}`);

    await Promise.all(incidents.flatMap((incident) => [open(incident, cluster), open(incident, cluster)]));

    expect(await verified(incidents)).toMatchObject({ ok: true, clusters: [{ cluster, from: 1, to: 40 }] });
    expect(await new OpeningChain(dynamo.client, 'audit').tail(cluster)).toMatchObject({ number: 40 });
  });
});

describe('a process that dies while it opens an incident', () => {
  /** What may come next: `mine` is the incident of the dead process. */
  const nexts: Record<string, (mine: string, others: string[], cluster: string) => Promise<unknown>> = {
    'a retry of it, and then others': async (mine, [a = '', b = ''], cluster) => {
      await open(mine, cluster);
      await open(a, cluster);
      await open(b, cluster);
    },
    'others, and then a retry of it': async (mine, [a = '', b = ''], cluster) => {
      await open(a, cluster);
      await open(b, cluster);
      await open(mine, cluster);
    },
    'only its janitor, which writes something else': async (mine, [a = '', b = ''], cluster) => {
      await open(mine, cluster, processThatDies(), 'janitor');
      await open(a, cluster);
      await open(b, cluster);
    },
    'a retry, its janitor and others at the same time': (mine, [a = '', b = ''], cluster) =>
      Promise.all([
        open(a, cluster),
        open(mine, cluster),
        open(mine, cluster, processThatDies(), 'janitor'),
        open(b, cluster),
      ]),
    'another one that dies as well, and then others': async (mine, [a = '', b = ''], cluster) => {
      await open(a, cluster, processThatDies(4)).catch(() => {});
      await open(b, cluster);
      await open(a, cluster);
      await open(mine, cluster);
    },
  };

  it.each(Object.entries(nexts))(
    'leaves a chain without a hole, wherever it dies; after it: %s',
    async (_, next) => {
      const whole = processThatDies();
      await open(`${freshCluster()}-whole`, `cluster-${number}`, whole);
      const lengths = whole.calls();
      expect(lengths).toBeGreaterThan(4);

      for (const opened of [false, true]) {
        for (let after = 1; after <= lengths + 1; after += 1) {
          const cluster = freshCluster();
          const before = `${cluster}-before`;
          if (opened) await open(before, cluster);
          const mine = `${cluster}-mine`;
          await open(mine, cluster, processThatDies(after)).catch((error: unknown) => {
            if (!(error instanceof Killed)) throw error;
          });
          const others = [`${cluster}-a`, `${cluster}-b`];
          await next(mine, others, cluster);

          const all = [...(opened ? [before] : []), mine, ...others];
          expect(await verified(all), `killed after call ${after}`).toMatchObject({
            ok: true,
            clusters: [{ cluster, from: 1, to: all.length }],
          });
        }
      }
    },
  );

  it('is made up for in the log as well by the next opening of the cluster', async () => {
    const cluster = freshCluster();
    const chain = new OpeningChain(dynamo.client, 'audit');
    // Dies right after it has taken its place.
    for (let after = 1; (await chain.tail(cluster)) === undefined; after += 1) {
      await open(`${cluster}-dead`, cluster, processThatDies(after)).catch(() => {});
    }
    expect(logs.commandCalls(PutLogEventsCommand)).toHaveLength(0);

    await open(`${cluster}-next`, cluster);

    const streams = logs.commandCalls(PutLogEventsCommand).map(({ args }) => args[0].input.logStreamName);
    expect(streams).toEqual([`${cluster}-dead`, `${cluster}-next`]);
  });

  it('whose place the next opening cannot make up for keeps the others waiting, and leaves no hole', async () => {
    const cluster = freshCluster();
    const chain = new OpeningChain(dynamo.client, 'audit');
    for (let after = 1; (await chain.tail(cluster)) === undefined; after += 1) {
      await open(`${cluster}-dead`, cluster, processThatDies(after)).catch(() => {});
    }
    const failing = {
      send: async (command: { input: { Item?: { incident?: { S?: string } } } }) => {
        if (command instanceof PutItemCommand && command.input.Item?.incident?.S === `${cluster}-dead`) {
          throw new Error('the table is throttled');
        }
        return dynamo.client.send(command as never);
      },
    } as unknown as DynamoDBClient;
    const log = new AuditLog(new CloudWatchLogsClient({ region: 'us-east-1' }), 'audit-group');

    await expect(
      new AuditTrail(failing, 'audit', log).append(draft, contextOf(`${cluster}-next`, cluster)),
    ).rejects.toThrow('the table is throttled');
    expect(await chain.tail(cluster)).toMatchObject({ number: 1 });
  });
});
