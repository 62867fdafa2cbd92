import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleDirectory } from '../../cdk/constructs/bundles.ts';
import { bundleNames } from '../../cdk/function-names.ts';

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

  it('cannot be made for a function that does not exist', () => {
    expect(() => bundleDirectory('opne', {})).toThrow('no bundle for the function "opne"');
  });
});
