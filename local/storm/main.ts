import { constants } from 'node:os';
import { UsageError } from '../command-line.ts';
import { SynthesisError } from '../engine/assembly.ts';
import { RunDirectoryError } from '../run-directory.ts';
import { removeAbandonedFolders } from '../temporary-folder.ts';
import { type StormOptions, stormOptions, usage } from './options.ts';
import { resultOf } from './result.ts';
import { runStorm } from './run-storm.ts';
import { textOf } from './text.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  let options: StormOptions;
  try {
    options = stormOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const stop = new AbortController();
  let signalled: 'SIGINT' | 'SIGTERM' | undefined;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (signalled !== undefined) process.exit(128 + constants.signals[name]);
      signalled = name;
      process.stderr.write(
        `\n${name}: all incidents are stopped and tidied up; once more ends this at once\n`,
      );
      stop.abort();
    });
  }
  removeAbandonedFolders();
  try {
    const people = options.json ? process.stderr : process.stdout;
    const storm = await runStorm({ options, signal: stop.signal, write: (text) => people.write(text) });
    const result = resultOf(storm, options);
    process.stdout.write(`${options.json ? JSON.stringify(result) : `\n${textOf(result)}`}\n`);
    if (signalled !== undefined) return 128 + constants.signals[signalled];
    return result.violations.length === 0 ? 0 : 1;
  } catch (error) {
    if (signalled !== undefined) return 128 + constants.signals[signalled];
    if (!(error instanceof SynthesisError || error instanceof RunDirectoryError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}
