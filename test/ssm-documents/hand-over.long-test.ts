import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { handOver, lastingScript } from '../../lambdas/domain/hand-over.ts';
import type { RungResult } from '../../lambdas/domain/incident-state.ts';
import { readDocumentResult } from '../../lambdas/domain/treatments/document-result.ts';
import { type SystemdNode, systemdNode } from './systemd-node.ts';

const nodes: SystemdNode[] = [];
const folders: string[] = [];
afterAll(() => {
  for (const node of nodes) node.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function open(unit?: string, properties: Record<string, string> = {}): SystemdNode {
  const node = systemdNode();
  nodes.push(node);
  if (unit !== undefined) node.systemd.unit(unit, properties);
  return node;
}

/** What a document has printed, as the incident keeps it. */
function resultOf(treatment: string, stdout: string): RungResult {
  const read = readDocumentResult(stdout);
  if (read.kind !== 'result') throw new Error(`${treatment} printed no result`);
  const { changed, before, after, undo, ...details } = read.result;
  return {
    treatment,
    arguments: {},
    risk: 'medium',
    status: 'done',
    result: {
      changed,
      before,
      after,
      ...(undo === null ? {} : { undo: { document: undo.document, arguments: undo.parameters } }),
      details,
    },
    verification: { cured: true, verdict: 'cured', findings: [], samples: [] },
  };
}

/** Files below etc, by their paths. */
function etc(root: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter(
        (path) => /^etc\/(systemd\/system|cgroup-medic)\//.test(path) && statSync(join(root, path)).isFile(),
      )
      .map((path) => [path, readFileSync(join(root, path), 'utf8')]),
  );
}

/** What the script writes, run on a folder in place of a node. */
function writtenBy(script: string): Record<string, string> {
  const root = mkdtempSync(join(tmpdir(), 'cgroup-medic-hand-over-'));
  folders.push(root);
  execFileSync('bash', ['--norc', '-c', script], { env: { PATH: process.env.PATH, ROOT: root } });
  return etc(root);
}

const cases: [string, string | undefined, Record<string, string>, Record<string, string>][] = [
  [
    'disable-agent',
    'ecs-agent.service',
    {
      ActiveState: 'active',
      SubState: 'running',
      Slice: 'system.slice',
      UnitFileState: 'enabled',
      MainPID: '900',
    },
    { unit: 'ecs-agent', stopSeconds: '15' },
  ],
  ['contain-sessions', undefined, {}, {}],
  [
    'contain-unit',
    'churning-agent.service',
    {
      ActiveState: 'activating',
      Slice: 'system.slice',
      NRestarts: '17',
      Delegate: 'no',
      MemoryMax: 'infinity',
    },
    { unit: 'churning-agent', allowLimitLoss: 'false' },
  ],
];

describe.concurrent('what is handed over', () => {
  it.each(cases)('of %s writes what the document has written', async (name, unit, properties, parameters) => {
    const node = open(unit, properties);
    const before = etc(node.root);
    const ran = await node.run(name, { ...parameters, incident: 'inc-1', fencing: '1', dryRun: 'false' });
    expect(ran.status).toBe('Success');
    const result = resultOf(name, ran.stdout);
    const written = Object.fromEntries(
      Object.entries(etc(node.root)).filter(([path, text]) => before[path] !== text),
    );
    expect(Object.keys(written).length).toBeGreaterThan(0);

    const script = lastingScript(result, 'inc-1') ?? '';
    expect(writtenBy(script)).toEqual(written);
    const [says, shown] = handOver([result], 'inc-1');
    expect(says).toContain('user data of their launch template');
    expect(shown).toBe(script);
  });
});
