// One Lambda function in a process of its own: loads the bundle as it would be deployed and runs one event at a time.
// Plain JavaScript, and nothing from this repository: the bundle must find here only what it finds in AWS.
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [compileCache] = process.argv.slice(2);
if (compileCache) enableCompileCache(compileCache);

// Ctrl-C reaches every process of the terminal. The engine decides when the functions end: it may still need them to
// clean up. When the engine is gone, for whatever reason, so is the channel, and this process ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(1));

/** @type {((event: unknown, context: object) => unknown) | undefined} */
let handler;

process.on('message', async ({ requestId, event, deadline, context }) => {
  process.send({ requestId, ...(await answer(event, deadline, context)) });
});

async function answer(event, deadline, context) {
  try {
    handler ??= await load();
    const result = await handler(JSON.parse(event), {
      ...context,
      callbackWaitsForEmptyEventLoop: true,
      getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    });
    return { result: JSON.stringify(result) ?? 'null' };
  } catch (error) {
    return { error: describe(error) };
  }
}

async function load() {
  const [file, name] = (process.env._HANDLER ?? '').split('.');
  let bundle;
  try {
    bundle = await import(pathToFileURL(join(process.env.LAMBDA_TASK_ROOT ?? '', `${file}.mjs`)).href);
    // Node writes it when a process ends by itself, and this one never does.
    if (compileCache) flushCompileCache();
  } catch (error) {
    throw named('Runtime.ImportModuleError', error);
  }
  if (typeof bundle[name] !== 'function') {
    throw named('Runtime.HandlerNotFound', new Error(`${file}.mjs does not export a function "${name}"`));
  }
  return bundle[name];
}

function named(name, error) {
  return Object.assign(new Error(String(error?.stack ?? error)), { name });
}

function describe(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: String(error.stack ?? '').split('\n'),
  };
}
