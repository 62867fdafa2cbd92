import { constants } from 'node:os';
import { relative } from 'node:path';
import { standingChanges, standingSentence } from '../lambdas/domain/standing-changes.ts';
import { answeredBy } from './approvals.ts';
import { askPeople, type People } from './ask-people.ts';
import { SynthesisError } from './engine/assembly.ts';
import { exitCodes } from './exit-code.ts';
import { NodeUnavailableError } from './local-node.ts';
import { listRecordedNodes } from './node/recorded-node.ts';
import { RunDirectoryError } from './run-directory.ts';
import { type RunResult, runIncident } from './run-incident.ts';
import { type StartOptions, startOptions, UsageError, usageOf } from './start-options.ts';
import { ownTerminal } from './terminal.ts';
import { undoHere } from './undo-here.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const recorded = listRecordedNodes();
  let options: StartOptions;
  try {
    options = startOptions(args, recorded);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n"npm start -- --help" says more.\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(`${usageOf(recorded)}\n`);
    return 0;
  }
  // With --json the record is alone on standard output, so that people read the rest on standard error.
  const people = options.json ? process.stderr : process.stdout;
  const interruption = onSignals((text) => people.write(text));
  const { ask, close } = peopleOf(options.approve);
  try {
    const result = await runIncident({
      nodes: options.nodes,
      fault: options.fault,
      hostAsked: options.hostAsked,
      mode: options.mode,
      ask,
      signal: interruption.signal,
      write: (text) => people.write(text),
    });
    if (options.json) process.stdout.write(`${JSON.stringify(result.record)}\n`);
    else people.write(summary(result));
    return interruption.exitCode() ?? report(result);
  } catch (error) {
    if (interruption.exitCode() !== undefined) return interruption.exitCode() ?? 1;
    // What a reader can act on needs no stack; a full disk or a directory without rights is such a thing.
    const readable =
      error instanceof NodeUnavailableError ||
      error instanceof SynthesisError ||
      error instanceof RunDirectoryError ||
      isSystemError(error);
    if (!readable) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    await close();
  }
}

function peopleOf(approve: StartOptions['approve']): People {
  if (approve !== 'ask') return { ask: answeredBy(approve), close: async () => {} };
  return askPeople({ terminal: ownTerminal(), say: (text) => process.stderr.write(text) });
}

/** What went wrong goes to standard error; the exit code says how the incident ended. */
function report({ record, approvalProblem, unanswered }: RunResult): number {
  if (approvalProblem !== undefined) process.stderr.write(`${approvalProblem.message}\n`);
  for (const text of new Set(unanswered)) process.stderr.write(`${text}\n`);
  return unanswered.length === 0 ? exitCodes[record.outcome] : 1;
}

function summary({ record, node }: RunResult): string {
  const here = (path: string): string => relative('', path);
  return [
    '',
    `${record.outcome}: ${record.reason}`,
    ...standingChanges(record.rungs).map((change) => standingSentence(change, undoHere(change, node))),
    `node    ${node.recorded ? `recorded, ${node.title}` : node.title}`,
    `audit   ${here(record.audit)}   (npm run audit -- verify ${here(record.audit)})`,
    `report  ${here(record.report)}`,
    '',
  ].join('\n');
}

/**
 * The first Ctrl-C, SIGTERM, lost terminal or closed pipe stops the incident, and everything is tidied up; a second
 * signal ends this process.
 */
function onSignals(write: (text: string) => void): { signal: AbortSignal; exitCode(): number | undefined } {
  const stop = new AbortController();
  let code: number | undefined;
  const end = (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE'): void => {
    code = 128 + constants.signals[name];
    stop.abort();
  };
  const handle = (name: 'SIGINT' | 'SIGTERM'): void => {
    if (code !== undefined) process.exit(code);
    write(`\n${name}: the incident is stopped and tidied up; once more ends this at once\n`);
    end(name);
  };
  process.on('SIGINT', () => handle('SIGINT'));
  process.on('SIGTERM', () => handle('SIGTERM'));
  // Nobody reads on: the terminal is gone, or "| head" has seen enough. What was made here still has to be removed.
  process.on('SIGHUP', () => end('SIGHUP'));
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => end('SIGPIPE'));
  return { signal: stop.signal, exitCode: () => code };
}

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}
