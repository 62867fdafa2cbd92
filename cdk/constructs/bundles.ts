import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { bundleNames } from '../function-names.ts';
import { ownSourceMap } from './own-source-map.ts';

const root = resolve(import.meta.dirname, '../..');
const handlers = join(root, 'lambdas/handlers');

type Bundle = ReadonlyMap<string, Uint8Array>;
let bundles: ReadonlyMap<string, Bundle> | undefined;

/** A directory with `index.mjs` of one handler, its source map, and the given files. The caller removes it. */
export function bundleDirectory(name: string, files: Readonly<Record<string, string>>): string {
  bundles ??= bundleAll();
  const bundle = bundles.get(name);
  if (bundle === undefined)
    throw new Error(`no bundle for the function "${name}": add it to cdk/function-names.ts`);
  const directory = mkdtempSync(join(tmpdir(), `cgroup-medic-${name}-`));
  for (const [file, contents] of bundle) writeFileSync(join(directory, file), contents);
  for (const [file, contents] of Object.entries(files)) writeFileSync(join(directory, file), contents);
  return directory;
}

/** Bundles all handlers in one run of esbuild, which parses the SDK once instead of once per function. */
function bundleAll(): ReadonlyMap<string, Bundle> {
  const { outputFiles } = buildSync({
    absWorkingDir: root,
    // Nothing is written here; a fixed place keeps the paths in the source maps, and so the asset hashes, the same everywhere.
    outdir: join(root, 'bundles'),
    write: false,
    entryPoints: bundleNames.map((name) => ({ in: join(handlers, `${name}.ts`), out: `${name}/index` })),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    // The SDK's chain of providers, which Lambda needs one link of, would be a fifth of every bundle.
    alias: {
      '@aws-sdk/credential-provider-node': join(root, 'lambdas/adapters/lambda-credentials.ts'),
      '@smithy/core/event-streams': join(root, 'lambdas/adapters/no-event-streams.ts'),
    },
    sourcemap: 'linked',
    // Stack traces need the mappings only, and every cold start pays for the rest.
    sourcesContent: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    conditions: ['import', 'module'],
    legalComments: 'none',
    logLevel: 'silent',
  });
  const result = new Map<string, Map<string, Uint8Array>>();
  for (const { path, contents, text } of outputFiles) {
    const name = basename(dirname(path));
    const bundle = result.get(name) ?? new Map<string, Uint8Array>();
    const file = basename(path);
    result.set(name, bundle.set(file, file.endsWith('.map') ? Buffer.from(ownSourceMap(text)) : contents));
  }
  return result;
}
