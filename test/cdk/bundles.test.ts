import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mostBytes } from '../../bench/bundle-bars.ts';
import { bundleDirectory } from '../../cdk/constructs/bundles.ts';
import { bundleNames } from '../../cdk/function-names.ts';

const alarm = {
  source: 'by-hand',
  id: 'x',
  at: '2026-11-21T06:30:00Z',
  cluster: 'of-nobody',
  instanceId: 'i-0123456789abcdef0',
};

/** Makes a bundle, gives its directory to `look`, and removes it. */
function withBundle<T>(name: string, look: (directory: string) => T): T {
  const directory = bundleDirectory(name, { 'settings.json': '{}' });
  try {
    return look(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('a bundle', () => {
  it.each(bundleNames)('of %s loads in plain Node, far from node_modules, and exports a handler', (name) => {
    const loaded = withBundle(name, (directory) =>
      execFileSync(
        process.execPath,
        [
          '--input-type=module',
          '--eval',
          `console.log(typeof (await import('${directory}/index.mjs')).handler)`,
        ],
        { cwd: directory, env: {}, encoding: 'utf8' },
      ),
    );
    expect(loaded).toBe('function\n');
  });

  it('holds the code, its source map and the files that were asked for', () => {
    withBundle('open', (directory) => {
      expect(readdirSync(directory).sort()).toEqual(['index.mjs', 'index.mjs.map', 'settings.json']);
      expect(readFileSync(join(directory, 'settings.json'), 'utf8')).toBe('{}');
      expect(readFileSync(join(directory, 'index.mjs'), 'utf8')).toContain(
        '//# sourceMappingURL=index.mjs.map',
      );
    });
  });

  it('says nothing about the machine it was made on', () => {
    withBundle('open', (directory) => {
      const map = JSON.parse(readFileSync(join(directory, 'index.mjs.map'), 'utf8')) as { sources: string[] };
      expect(map.sources.filter((source) => !source.startsWith('../'))).toEqual([]);
      expect(map.sources).toContain('../../lambdas/handlers/open.ts');
    });
  });

  it('maps our own sources, and no package, which every cold start would read', () => {
    withBundle('open', (directory) => {
      const map = JSON.parse(readFileSync(join(directory, 'index.mjs.map'), 'utf8')) as { sources: string[] };
      expect(map.sources.filter((source) => source.includes('node_modules'))).toEqual([]);
    });
  });

  it('names the file, the line and the function of an error of ours, and the error by its class', () => {
    withBundle('open', (directory) => {
      writeFileSync(join(directory, 'settings.json'), '{ "clusters": { "example": {} } }');
      const { stderr, stdout } = spawnSync(
        process.execPath,
        [
          '--enable-source-maps',
          '--input-type=module',
          '--eval',
          `const { handler } = await import('${directory}/index.mjs');
           await handler({ alarm: ${JSON.stringify(alarm)}, execution: { id: 'e', name: 'n', startedAt: 's' } })
             .catch((error) => console.log(error.name, error.stack))`,
        ],
        { cwd: directory, env: {}, encoding: 'utf8' },
      );
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^MedicError MedicError: /);
      expect(stdout).toMatch(/at clusterSettings \(.*lambdas\/adapters\/settings-file\.ts:\d+:\d+\)/);
    });
  });

  it('is within its size', () => {
    const over = bundleNames.filter(
      (name) =>
        withBundle(name, (directory) => statSync(join(directory, 'index.mjs')).size) > mostBytes(name),
    );
    expect(over).toEqual([]);
  });

  it('asks for credentials where Lambda puts them, and brings no other way to them along', () => {
    withBundle('janitor', (directory) => {
      const code = readFileSync(join(directory, 'index.mjs'), 'utf8');
      const found = ['AWS_SECRET_ACCESS_KEY', 'fromSSO', 'fromTokenFile'].filter((word) =>
        code.includes(word),
      );
      expect(found).toEqual(['AWS_SECRET_ACCESS_KEY']);
    });
  });

  it('cannot be made for a function that does not exist', () => {
    expect(() => bundleDirectory('opne', {})).toThrow('no bundle for the function "opne"');
  });
});
