import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { documentNames, loadDocument } from '../ssm-documents/load.ts';
import { InvalidParametersError, runDocument } from './node/ssm-agent.ts';

const usage = `usage: npm run document -- NAME [--param KEY=VALUE]… [--root DIR] [--json]

Runs one SSM document on this host (or on a recorded node's folder), as the SSM agent would.
Its JSON goes to stdout, its log to stderr.

documents: ${documentNames.join(', ')}
flags:     --param KEY=VALUE (repeat it), --root DIR, --json (the whole invocation as JSON), --help`;

class UsageError extends Error {}

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    const options = parse(args);
    if (options === 'help') {
      process.stdout.write(`${usage}\n`);
      return 0;
    }
    return await run(options);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${usage}\n`);
      return 2;
    }
    if (error instanceof InvalidParametersError) {
      process.stderr.write(`${error.message}\n`);
      return 2;
    }
    throw error;
  }
}

type Options = { name: string; parameters: Record<string, string>; root: string | undefined; json: boolean };

function parse(args: string[]): Options | 'help' {
  const { values, positionals } = parseFlags(args);
  if (values.help) return 'help';
  const [name, ...rest] = positionals;
  if (name === undefined) throw new UsageError('which document?');
  if (rest.length > 0) throw new UsageError(`one document at a time, not also ${rest.join(' ')}`);
  if (!documentNames.includes(name)) throw new UsageError(`unknown document "${name}"`);
  const parameters = Object.fromEntries(
    (values.param ?? []).map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--param takes KEY=VALUE, not "${pair}"`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  return { name, parameters, root: values.root, json: values.json ?? false };
}

function parseFlags(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        param: { type: 'string', multiple: true },
        root: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function run(options: Options): Promise<number> {
  const { content, contentDigest } = loadDocument(options.name);
  const stop = new AbortController();
  const interrupted = () => stop.abort();
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const result = await runDocument({
    content,
    parameters: options.parameters,
    ...(options.root === undefined ? {} : { root: options.root }),
    signal: stop.signal,
    onOutput: (stream, text) => {
      if (stream === 'stderr') process.stderr.write(text);
    },
  });
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ document: options.name, contentDigest, ...result })}\n`
      : result.stdout,
  );
  if (result.status === 'Success') return 0;
  process.stderr.write(`${options.name}: ${result.status} (exit code ${result.responseCode})\n`);
  return stop.signal.aborted ? 128 + constants.signals.SIGINT : 1;
}
