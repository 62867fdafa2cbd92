import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditQueries } from '../../cdk/constructs/audit-queries.ts';
import { readSettings } from '../../cdk/settings.ts';
import { AuditStep } from '../../lambdas/domain/audit/entry.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { synthesize } from '../cdk/template.ts';

const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/deploying.md'), 'utf8');
const all = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, found = '']) => found);

describe('docs/deploying.md', () => {
  it('names outputs that the stack has', () => {
    const { Outputs } = synthesize() as unknown as { Outputs: Record<string, unknown> };
    const named = all(/(?<!-)\bout (\w+)/g);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !Object.hasOwn(Outputs, name))).toEqual([]);
  });

  it('has settings that pass', () => {
    const [text = ''] = all(/"cgroup-medic": (\{\n[\s\S]*?\n {4}\})\n/g);
    expect(readSettings(JSON.parse(text)).clusters['my-cluster']?.initialMode).toBe('observe');
  });

  it('names steps of the audit, saved questions, commands and files that there are', () => {
    const steps = all(/`((?:incident|lease|node|examination|treatment|approval|janitor)\.[a-z]+)`/g);
    expect(steps.length).toBeGreaterThan(5);
    expect(steps.filter((step) => !AuditStep.safeParse(step).success)).toEqual([]);
    for (const { name } of auditQueries) expect(page).toContain(`*${name}*`);
    const commands = all(/npm run (?:-s )?([a-z:]+)/g);
    expect(commands.filter((name) => !Object.hasOwn(packageJson.scripts, name))).toEqual([]);
    const files = [
      ...all(/\]\((?!https?:)([^)#]+)\)/g).map((path) => join('docs', path)),
      ...all(/`(test\/[\w./-]+)`/g),
    ];
    expect(files.length).toBeGreaterThan(4);
    expect(files.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
