import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AuditEntry } from '../../lambdas/domain/audit/entry.ts';
import { verifyTexts } from '../../lambdas/domain/audit/verify-trail.ts';
import { canonicalJson } from '../../lambdas/domain/canonical-json.ts';
import { inOrder } from '../../local/audit-file.ts';
import { executionStatusChange } from '../../local/engine/events.ts';
import type { LocalNode } from '../../local/local-node.ts';
import { type AuditFault, type AuditWrite, disturbAudit } from './audit-faults.ts';
import { withBrokenReclaim } from './broken-reclaim.ts';
import { protectionsOf, recordedProtections } from './protections.ts';
import { clusters, startTestEngine, type TestEngine } from './test-engine.ts';

// Hundreds of whole incidents, with other test files on the same cores.
vi.setConfig({ testTimeout: 3_600_000, hookTimeout: 240_000 });

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

/** Incidents at the same time: they wait most of it. */
const atOnce = 8;
/** 14: of each kind the first, the second and then only every fourteenth write. */
const every = Number(process.env.AUDIT_FAULT_EVERY ?? 1);

type Way = Pick<Parameters<TestEngine['run']>[0], 'node' | 'cluster' | 'change'>;
const cured: Way = { node: 'v2-zombies' };
/** A ladder whose first treatment dies half-way and is undone. */
const undone: Way = { node: 'v2-zombies', cluster: clusters.cautious, change: withBrokenReclaim };

/** What came of one incident under one fault. */
type Ended = { writes: AuditWrite[]; problems: string[] };

/** Runs an incident with a fault in its audit, and collects everything that is not as it must be. */
async function runWith(way: Way, fault: AuditFault): Promise<Ended> {
  const problems: string[] = [];
  const lines: string[] = [];
  let id = '';
  let writes: AuditWrite[] = [];
  let lift = (): void => {};
  const { engine } = test;
  const stop = engine.onLogLine(({ group, stream, message }) => {
    if (group === engine.stack.outputs.AuditLogGroupName && stream === id) lines.push(message);
  });
  const change = (node: LocalNode): LocalNode => {
    const changed = way.change?.(node) ?? node;
    const { managed } = changed;
    const run: typeof managed.run = async (content, parameters, signal) => {
      // Only what changes a node names its incident; what collects evidence reads.
      if (parameters.incident !== undefined) {
        problems.push(...(await intentProblems(parameters, lines)));
      }
      return managed.run(content, parameters, signal);
    };
    return { ...changed, managed: { ...managed, run } };
  };
  try {
    await test.run(
      {
        ...way,
        change,
        before: async (_, incident) => {
          id = incident;
          ({ writes, lift } = disturbAudit(engine, id, fault));
        },
      },
      async (incident) => {
        const { execution } = incident;
        const verified = () => verifyTexts(inOrder(lines), incident.publicKey);
        if (execution.status === 'SUCCEEDED' && !verified().ok) {
          problems.push(
            `it closed as ${incident.record.outcome}, and its audit was not whole: ${JSON.stringify(verified())}`,
          );
        }
        lift();
        if (execution.status !== 'SUCCEEDED' && fault.how !== 'kill') {
          // The dead letter of the janitor, sent again once the service is back.
          const input = {
            source: 'by-hand',
            id,
            at: new Date().toISOString(),
            cluster: way.cluster ?? clusters.auto,
            instanceId: incident.instanceId,
          };
          const event = executionStatusChange(execution, {
            stateMachineArn: engine.stateMachine.arn,
            name: id,
            input,
          });
          await engine.functions
            .invoke('CgroupMedic-janitor', event)
            .catch((error: unknown) => problems.push(`the janitor: ${error}`));
        }
        const report = verified();
        if (!report.ok) problems.push(`in the end: ${JSON.stringify(report)}`);
        const holder = await incident.leaseHolder();
        if (holder !== undefined) problems.push(`the lease is still held by ${holder}`);
        const [present, recorded] = [
          protectionsOf(incident.node.root ?? ''),
          recordedProtections(incident.node.title),
        ];
        if (canonicalJson(present) !== canonicalJson(recorded))
          problems.push('a protection still stands on the node');
      },
    );
  } finally {
    lift();
    stop();
  }
  return { writes, problems };
}

/** Whether, at the moment a command reaches the agent, its intent stands in the table, and that of a treatment in the log. */
async function intentProblems(
  parameters: Record<string, string>,
  lines: readonly string[],
): Promise<string[]> {
  const { engine } = test;
  const { Items } = await engine.cloud.dynamo.send(
    new QueryCommand({
      TableName: engine.stack.functions[0]?.environment.AUDIT_TABLE ?? '',
      ConsistentRead: true,
      KeyConditionExpression: 'incident = :incident',
      ExpressionAttributeValues: marshall({ ':incident': parameters.incident }),
    }),
  );
  const isIntent = (text: string): boolean => {
    const { data } = AuditEntry.safeParse(JSON.parse(text));
    const intended = data?.step === 'treatment.intended' || data?.step === 'undo.intended';
    return (
      intended && Object.entries(data.arguments ?? {}).every(([name, value]) => parameters[name] === value)
    );
  };
  const what = JSON.stringify(parameters);
  const table = (Items ?? []).map((item) => String(unmarshall(item).content));
  if (!table.some(isIntent)) return [`${what} reached the node, and no intent of it is in the table`];
  const isTreatment = 'slices' in parameters;
  if (isTreatment && !lines.some(isIntent))
    return [`${what} reached the node, and no intent of it is in the log`];
  return [];
}

/** Every nth write of each kind, until one is not reached any more. @returns how many of each kind there are, and what was wrong */
async function everyWrite(
  way: Way,
  how: AuditFault['how'],
  kinds: readonly AuditWrite[],
): Promise<{ reached: Partial<Record<AuditWrite, number>>; problems: string[] }> {
  const problems: string[] = [];
  const rows = kinds.map((kind) => ({ kind, next: 1, reached: Number.POSITIVE_INFINITY }));
  const worker = async (): Promise<void> => {
    for (;;) {
      const row = rows.find(({ next, reached }) => next <= reached);
      if (row === undefined) return;
      const { kind, next: nth } = row;
      row.next += nth === 1 ? 1 : every;
      const ended = await runWith(way, { how, kind, nth });
      if (ended.writes.filter((write) => write === kind).length < nth)
        row.reached = Math.min(row.reached, nth - 1);
      problems.push(...ended.problems.map((problem) => `${kind} ${nth}: ${problem}`));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { reached: Object.fromEntries(rows.map(({ kind, reached }) => [kind, reached])), problems };
}

describe.each<[string, Way, number]>([
  ['that is cured', cured, 14],
  ['whose treatment fails and is undone', undone, 14],
])(
  'nothing changes a node without its intent in the audit, and every trail can be closed: an incident %s,',
  (_, way, least) => {
    it.each<[string, AuditFault['how'], AuditWrite[]]>([
      ['when the audit takes nothing from the nth write on', 'fail', ['place', 'entry', 'log line', 'mark']],
      ['when the log group takes nothing from the nth line on', 'fail-log', ['log line']],
      ['when the function dies right after the nth write', 'kill', ['place', 'entry', 'log line', 'mark']],
    ])('%s', async (_, how, kinds) => {
      const { reached, problems } = await everyWrite(way, how, kinds);
      expect(problems).toEqual([]);
      for (const kind of kinds) expect(reached[kind]).toBeGreaterThanOrEqual(kind === 'place' ? 1 : least);
      process.stdout.write(`${how}: ${JSON.stringify(reached)}\n`);
    });
  },
);
