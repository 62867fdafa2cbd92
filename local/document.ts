import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { documentNames, loadDocument } from '../ssm-documents/load.ts';
import { endQuietlyWithReader } from './closed-pipe.ts';
import { listRecordedNodes, openRecordedNode } from './node/recorded-node.ts';
import { InvalidParametersError, runDocument } from './node/ssm-agent.ts';

const usage = `usage: npm run document -- NAME [--param KEY=VALUE]… [--node NODE | --root DIR] [--json]

Runs one SSM document ON THIS HOST, for real, as the SSM agent would; with --param dryRun=true a treatment changes
nothing. With --node it runs on a recorded node instead. Its JSON goes to stdout, its log to stderr.

documents: ${documentNames.join(', ')}
nodes:     ${listRecordedNodes().join(', ')}
flags:     --param KEY=VALUE (repeat it), --node NODE, --root DIR (a folder with the files of a node, from its root),
           --json (the whole invocation as JSON), NAME --help (the parameters of a document)`;

class UsageError extends Error {}

/** Values with which a person can try a document by hand. */
const examples: Readonly<Record<string, string>> = {
  slices: '/user.slice',
  unit: 'ecs.service',
  users: 'alice',
  approval: 'policy:by-hand',
  incident: 'by-hand-1',
  fencing: '1',
};

endQuietlyWithReader();
process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    const options = parse(args);
    if (typeof options === 'string') {
      process.stdout.write(`${options}\n`);
      return 0;
    }
    return await run(options);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${usage}\n`);
      return 2;
    }
    if (error instanceof InvalidParametersError) {
      process.stderr.write([error.message, ...exampleOf(error.missing), ''].join('\n'));
      return 2;
    }
    throw error;
  }
}

type Options = {
  name: string;
  parameters: Record<string, string>;
  node: string | undefined;
  root: string | undefined;
  json: boolean;
};

/** How parameters that are missing can be given. */
function exampleOf(missing: readonly string[]): string[] {
  const given = missing.flatMap((name) =>
    Object.hasOwn(examples, name) ? [`--param ${name}=${examples[name]}`] : [],
  );
  if (given.length === 0) return [];
  return [
    `For example: ${given.join(' ')}`,
    ...(missing.includes('incident')
      ? [
          'An incident of your own for each thing that you may want to take back: its inverse is told the same one.',
        ]
      : []),
    ...(missing.includes('fencing')
      ? [
          'Any number will do by hand, unless this node has seen a higher one in the last two hours: the error names it then.',
        ]
      : []),
  ];
}

/** What to run, or the help that was asked for. */
function parse(args: string[]): Options | string {
  const { values, positionals } = parseFlags(args);
  const [name, ...rest] = positionals;
  if (values.help) return name !== undefined && documentNames.includes(name) ? helpOf(name) : usage;
  if (name === undefined) throw new UsageError('which document?');
  if (rest.length > 0) throw new UsageError(`one document at a time, not also ${rest.join(' ')}`);
  if (!documentNames.includes(name)) throw new UsageError(`unknown document "${name}"`);
  const parameters: Record<string, string> = {};
  for (const pair of values.param ?? []) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--param takes KEY=VALUE, not "${pair}"`);
    const key = pair.slice(0, at);
    if (Object.hasOwn(parameters, key)) throw new UsageError(`--param ${key} is given twice`);
    parameters[key] = pair.slice(at + 1);
  }
  const { node, root } = values;
  if (node !== undefined && root !== undefined) throw new UsageError('either --node or --root');
  if (node !== undefined && !listRecordedNodes().includes(node))
    throw new UsageError(`unknown node "${node}"`);
  if (root !== undefined && !statSync(root, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`--root ${root} is no folder`);
  return { name, parameters, node, root, json: values.json ?? false };
}

function parseFlags(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        param: { type: 'string', multiple: true },
        node: { type: 'string' },
        root: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The parameters of a document, as its YAML explains them. */
function helpOf(name: string): string {
  const { description, parameters } = loadDocument(name).content;
  const lines = Object.entries(parameters).map(([key, rule]) => {
    const values = rule.allowedValues?.join(' ') ?? rule.allowedPattern ?? '';
    const fallback = rule.default === undefined ? 'required' : `default ${rule.default}`;
    return `  ${key} (${fallback}): ${rule.description}\n    ${values}`;
  });
  const missing = Object.entries(parameters).flatMap(([key, rule]) =>
    rule.default === undefined ? [key] : [],
  );
  return [`${name}: ${description}`, ...lines, ...exampleOf(missing)].join('\n');
}

async function run(options: Options): Promise<number> {
  const { content, contentDigest } = loadDocument(options.name);
  const stop = new AbortController();
  const interrupted = () => stop.abort();
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted).once('SIGHUP', interrupted);
  const node = options.node === undefined ? undefined : await openRecordedNode(options.node);
  const root = node?.root ?? options.root;
  const result = await runDocument({
    content,
    parameters: options.parameters,
    ...(root === undefined ? {} : { root }),
    ...(node === undefined ? {} : { env: node.env }),
    signal: stop.signal,
    onOutput: (stream, text) => {
      if (stream === 'stderr') process.stderr.write(text);
    },
  }).finally(() => node?.close());
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ document: options.name, contentDigest, ...result })}\n`
      : result.stdout,
  );
  if (result.status === 'Success') return 0;
  process.stderr.write(`${options.name}: ${result.status} (exit code ${result.responseCode})\n`);
  return stop.signal.aborted ? 128 + constants.signals.SIGINT : 1;
}
