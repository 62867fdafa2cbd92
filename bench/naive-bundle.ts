import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');

/**
 * Bundles the same handlers as somebody does who gives esbuild nothing but what it needs for Node: CommonJS, not minified, the SDK
 * as its clients come, and zod by the import that its documentation begins with. Writes `NAME/index.cjs` below the folder.
 */
export async function naiveBundles(names: readonly string[], folder: string): Promise<void> {
  await build({
    absWorkingDir: root,
    outdir: folder,
    entryPoints: names.map((name) => ({
      in: join(root, `lambdas/handlers/${name}.ts`),
      out: `${name}/index`,
    })),
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    logLevel: 'silent',
    plugins: [
      {
        name: 'default import of zod',
        setup({ onLoad }) {
          onLoad({ filter: /[/\\]lambdas[/\\].*\.ts$/ }, ({ path }) => ({
            loader: 'ts',
            contents: readFileSync(path, 'utf8').replace(
              "import * as z from 'zod'",
              "import { z } from 'zod'",
            ),
          }));
        },
      },
    ],
  });
}
