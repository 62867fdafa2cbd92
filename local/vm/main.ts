import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { CauseId } from '../../lambdas/domain/causes/cause-id.ts';
import { documentNames, loadDocument } from '../../ssm-documents/load.ts';
import { InvalidParametersError } from '../node/ssm-agent.ts';
import type { Fault } from './faults/fault.ts';
import { virtualFaults } from './faults/index.ts';
import { isVariantName, type VariantName, variantNames, variants } from './variants.ts';
import { type RunOptions, startVirtualNode, type VirtualNode, VirtualNodeError } from './virtual-node.ts';

const usage = `usage: npm run vm -- [--variant NAME] exec COMMAND…
       npm run vm -- [--variant NAME] script FILE|-
       npm run vm -- [--variant NAME] document NAME [--param KEY=VALUE]…
       npm run vm -- [--variant NAME] evidence CAUSE

Boots a virtual node, runs one thing in it as root, and switches it off. Nothing it does is kept.
exec      a command
script    a file of this host (or standard input), as a program
document  an SSM document, as the SSM agent would
evidence  makes a real fault in it, and prints what both evidence documents say of it, for npm run diagnose -- -

--variant  ${variantNames.map((name) => `${name}: ${variants[name].title}`).join('\n           ')}
--timeout SECONDS  for exec and script (default 600)

documents: ${documentNames.join(', ')}
causes: ${Object.keys(virtualFaults).join(', ')}`;

class UsageError extends Error {}

const stop = new AbortController();
process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    const options = parse(args);
    if (options === 'help') {
      process.stdout.write(`${usage}\n`);
      return 0;
    }
    const node = await startVirtualNode({
      variant: options.variant,
      signal: stop.signal,
      onProgress: (text) => process.stderr.write(`${text}\n`),
    });
    try {
      return await options.act(node);
    } finally {
      await node.close();
    }
  } catch (error) {
    if (stop.signal.aborted) return 128 + constants.signals.SIGINT;
    if (error instanceof UsageError) process.stderr.write(`${error.message}\n\n${usage}\n`);
    else if (error instanceof InvalidParametersError || error instanceof VirtualNodeError)
      process.stderr.write(`${error.message}\n`);
    else throw error;
    return error instanceof VirtualNodeError ? 1 : 2;
  }
}

type Options = { variant: VariantName; act: (node: VirtualNode) => Promise<number> };

function parse(args: string[]): Options | 'help' {
  // What follows "exec" is the command's own, flags and all.
  const at = args.indexOf('exec');
  const { values, positionals } = parseFlags(at < 0 ? args : args.slice(0, at));
  if (values.help) return 'help';
  const variant = values.variant ?? 'v2';
  if (!isVariantName(variant)) {
    throw new UsageError(`unknown variant "${variant}": use one of ${variantNames.join(', ')}`);
  }
  const timeoutSeconds = Number(values.timeout ?? 600);
  if (!(timeoutSeconds > 0)) throw new UsageError(`--timeout takes seconds, not "${values.timeout}"`);
  const options = { timeoutSeconds };
  if (at >= 0) return { variant, act: (node) => exec(node, commandOf(args.slice(at + 1)), options) };
  const [what, name, ...more] = positionals;
  if (name === undefined || more.length > 0) throw new UsageError('say what to run, and one thing only');
  if (what === 'script') {
    const script = readFileSync(name === '-' ? 0 : name);
    return { variant, act: (node) => runScript(node, script, options) };
  }
  if (what === 'evidence') {
    const fault = isCause(name) ? virtualFaults[name] : undefined;
    if (fault === undefined) throw new UsageError(`no fault "${name}" can be made in a virtual node`);
    return { variant, act: (node) => showEvidence(node, fault) };
  }
  if (what !== 'document') throw new UsageError(`"${what}" is none of exec, script, document, evidence`);
  if (!documentNames.includes(name)) throw new UsageError(`unknown document "${name}"`);
  const parameters = parametersOf(values.param ?? []);
  return { variant, act: (node) => runDocument(node, name, parameters) };
}

function parseFlags(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        variant: { type: 'string' },
        param: { type: 'string', multiple: true },
        timeout: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function commandOf(args: string[]): string[] {
  const command = args[0] === '--' ? args.slice(1) : args;
  if (command.length === 0) throw new UsageError('exec needs a command');
  return command;
}

function parametersOf(pairs: string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--param takes KEY=VALUE, not "${pair}"`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

async function exec(node: VirtualNode, command: string[], options: RunOptions): Promise<number> {
  const { code } = await node.run(command, {
    ...options,
    signal: stop.signal,
    onOutput: (stream, text) => process[stream].write(text),
  });
  return code;
}

async function runScript(node: VirtualNode, script: Buffer, options: RunOptions): Promise<number> {
  await node.write('/root/script', script, 0o700);
  return exec(node, ['/root/script'], options);
}

function isCause(name: string): name is CauseId {
  return CauseId.safeParse(name).success;
}

async function showEvidence(node: VirtualNode, fault: Fault): Promise<number> {
  process.stderr.write(`making the fault in it: ${fault.about}\n`);
  await fault.make(node, stop.signal);
  // As the incident asks for it: both at the same time.
  const codes = await Promise.all([
    runDocument(node, 'collect-evidence', { profile: 'full', windowSeconds: '5' }),
    runDocument(node, 'collect-services', {}),
  ]);
  return Math.max(...codes);
}

async function runDocument(
  node: VirtualNode,
  name: string,
  parameters: Record<string, string>,
): Promise<number> {
  const { content } = loadDocument(name);
  const result = await node.runDocument({
    content,
    parameters,
    signal: stop.signal,
    onOutput: (stream, text) => {
      if (stream === 'stderr') process.stderr.write(text);
    },
  });
  process.stdout.write(result.stdout);
  if (result.status === 'Success') return 0;
  process.stderr.write(`${name}: ${result.status} (exit code ${result.responseCode})\n`);
  return 1;
}
