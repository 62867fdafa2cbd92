import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsPage } from '../bin/settings-page.ts';

const root = resolve(import.meta.dirname, '..');

/** The modules that a file imports, as paths from the root where they are relative. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const names = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
  return names.map((name) => (name.startsWith('.') ? normalize(join(dirname(file), name)) : name));
}

describe('dependencies point inwards', () => {
  it.each(globSync('lambdas/domain/**/*.ts', { cwd: root }))(
    '%s imports zod, node:crypto and the domain only',
    (file) => {
      const outside = importsOf(file).filter(
        (name) => name !== 'zod' && name !== 'node:crypto' && !name.startsWith('lambdas/domain/'),
      );

      expect(outside).toEqual([]);
    },
  );

  it.each(globSync('lambdas/adapters/**/*.ts', { cwd: root }))('%s does not know the handlers', (file) => {
    expect(importsOf(file).filter((name) => name.startsWith('lambdas/handlers/'))).toEqual([]);
  });

  it.each(globSync('{lambdas,ssm-documents}/**/*.ts', { cwd: root }))(
    '%s does not know the one-machine engine',
    (file) => {
      expect(importsOf(file).filter((name) => /^(local|cdk|test|bin)\//.test(name))).toEqual([]);
    },
  );
});

describe('documentation', () => {
  it('has the settings as they are: otherwise run "npm run docs"', () => {
    expect(readFileSync(join(root, 'docs/settings.md'), 'utf8')).toBe(settingsPage());
  });

  it.each(['README.md', 'CONTRIBUTING.md', ...globSync('{docs,prometheus}/*.md', { cwd: root })])(
    '%s links to files that exist',
    (page) => {
      const text = readFileSync(join(root, page), 'utf8');
      const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map((match) =>
        normalize(join(dirname(page), match[1] ?? '')),
      );

      expect(links.filter((link) => globSync(link, { cwd: root }).length === 0)).toEqual([]);
    },
  );
});
