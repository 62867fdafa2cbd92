import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentMachine, type AgentScript, agentEnvironment, killedCode } from '../node/agent-machine.ts';
import { type AgentDocument, type DocumentResult, runDocument } from '../node/ssm-agent.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { Channel } from './channel.ts';
import { checkVirtualNode } from './check-virtual-node.ts';
import { imageOf } from './image.ts';
import { qemuCommand } from './qemu.ts';
import { type VariantName, variants } from './variants.ts';
import { VirtualNodeError } from './virtual-node-error.ts';

export { VirtualNodeError } from './virtual-node-error.ts';

const bootSeconds = 180;
const defaultTimeoutSeconds = 120;
const defaultMode = 0o644;

export type StartVirtualNode = {
  /** @default v2 */
  variant?: VariantName;
  onProgress?: (text: string) => void;
  /** Stops the start. A node that has started is stopped by `close`. */
  signal?: AbortSignal;
};

export type RunOptions = {
  stdin?: string | Buffer;
  /** Added to the agent's environment. */
  env?: Readonly<Record<string, string>>;
  /** Then its process group is killed. @default 120 */
  timeoutSeconds?: number;
  /** Kills its process group. */
  signal?: AbortSignal;
  onOutput?: (stream: 'stdout' | 'stderr', text: string) => void;
};

export type RunResult = { code: number; stdout: string; stderr: string };

export type VirtualNode = {
  variant: VariantName;
  /** What it is, in plain words. */
  title: string;
  bootId: string;
  /** Runs a command as root. One that a signal ended has the code that a shell would give it: 128 + the signal. */
  run(command: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs an SSM document as the node's SSM agent would. */
  runDocument(document: {
    content: AgentDocument;
    parameters: Readonly<Record<string, string>>;
    signal?: AbortSignal;
    onOutput?: NonNullable<RunOptions['onOutput']>;
  }): Promise<DocumentResult>;
  /** Writes a file, whole or not at all. */
  write(path: string, content: string | Buffer, mode?: number): Promise<void>;
  /** Switches it off. Nothing of it is left. */
  close(): Promise<void>;
};

/**
 * Boots a node that is thrown away afterwards; makes its image first if there is none. It ends with this process, even if
 * that is killed.
 *
 * @throws VirtualNodeError
 */
export async function startVirtualNode(options: StartVirtualNode = {}): Promise<VirtualNode> {
  const { variant: name = 'v2', onProgress, signal } = options;
  const check = checkVirtualNode();
  if (!check.possible) {
    throw new VirtualNodeError(
      `no virtual node here, it needs ${check.missing}. This works: ${check.instead}`,
    );
  }
  const variant = variants[name];
  const image = await imageOf(variant, { onProgress, signal });
  signal?.throwIfAborted();
  onProgress?.(`booting a virtual node (${variant.title})`);
  const { channel, quit, lastWords } = launch(qemuCommand(image, variant));
  try {
    const stop = signal === undefined ? [] : [aborted(signal)];
    const bootId = await Promise.race([channel.ready, late(lastWords), ...stop]);
    return nodeOf({ channel, quit, name, bootId });
  } catch (error) {
    await quit();
    throw error;
  }
}

type Running = { channel: Channel; quit: () => Promise<void>; lastWords: () => string };

function launch({ command, args, env }: ReturnType<typeof qemuCommand>): Running {
  const { file, read } = consoleFile();
  // The parent's death is a signal to QEMU: however this process ends, no node is left running.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', file],
    env: { ...process.env, ...env },
  });
  const [stdin, stdout, stderr] = [child.stdin, child.stdout, child.stderr];
  if (stdin === null || stdout === null || stderr === null) throw new Error('QEMU was spawned without pipes');
  let errors = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4000);
  });
  const lastWords = () => {
    const words = [errors.trim(), read().trim()].filter(Boolean).join('\n');
    return words === '' ? 'it said nothing' : `its last words:\n${words}`;
  };
  const channel = new Channel(stdout, stdin);
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      channel.fail(new VirtualNodeError(`QEMU could not be started: ${error.message}`, { cause: error }));
      resolve();
    });
    child.once('close', () => {
      channel.fail(new VirtualNodeError(`the virtual node is off; ${lastWords()}`));
      closeSync(file);
      resolve();
    });
  });
  return {
    channel,
    lastWords,
    quit: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Its name is removed at once, so that it is gone with the last process that has it open. */
function consoleFile(): { file: number; read: () => string } {
  const folder = temporaryFolder('node');
  const file = openSync(join(folder, 'console'), 'w+');
  rmSync(folder, { recursive: true });
  return { file, read: () => readFileSync(`/proc/self/fd/${file}`, 'utf8').slice(-4000) };
}

async function late(lastWords: () => string): Promise<never> {
  await sleep(bootSeconds * 1000, undefined, { ref: false });
  throw new VirtualNodeError(`the virtual node did not boot within ${bootSeconds} s; ${lastWords()}`);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

type Started = Pick<Running, 'channel' | 'quit'> & { name: VariantName; bootId: string };

function nodeOf({ channel, quit, name, bootId }: Started): VirtualNode {
  const run: VirtualNode['run'] = async (command, options = {}) => {
    const output = { stdout: '', stderr: '' };
    const { code, signal } = await channel.run({
      command,
      env: { ...agentEnvironment, ...options.env },
      cwd: '/root',
      timeoutSeconds: options.timeoutSeconds ?? defaultTimeoutSeconds,
      stdin: options.stdin ?? '',
      signal: options.signal,
      onOutput: (stream, text) => {
        output[stream] += text;
        options.onOutput?.(stream, text);
      },
    });
    return { code: code ?? 128 + signal, ...output };
  };
  const mustRun = async (command: readonly string[], options: RunOptions = {}): Promise<string> => {
    const { code, stdout, stderr } = await run(command, options);
    if (code !== 0)
      throw new VirtualNodeError(`${command.join(' ')} failed (exit code ${code}): ${stderr.trim()}`);
    return stdout;
  };
  const write: VirtualNode['write'] = async (path, content, mode = defaultMode) => {
    const script = 'umask 077 && cat >"$1.new" && chmod "$2" "$1.new" && mv "$1.new" "$1"';
    await mustRun(['sh', '-c', script, 'sh', path, mode.toString(8)], { stdin: content });
  };
  const openMachine = async (): Promise<AgentMachine> => {
    const folder = (await mustRun(['mktemp', '-d', '/tmp/cgroup-medic-agent-XXXXXX'])).trim();
    return {
      run: (script) => runScript(folder, script),
      close: async () => {
        await mustRun(['rm', '-rf', folder]);
      },
    };
  };
  const runScript = async (folder: string, script: AgentScript): Promise<number> => {
    const path = `${folder}/${script.file}`;
    await write(path, script.text, 0o700);
    if (script.signal?.aborted) return killedCode;
    const { code, signal } = await channel.run({
      ...script,
      command: ['sh', '-c', path],
      cwd: folder,
      stdin: '',
    });
    return code ?? (signal === 9 ? killedCode : 1);
  };
  return {
    variant: name,
    title: variants[name].title,
    bootId,
    run,
    runDocument: (document) => runDocument({ ...document, openMachine }),
    write,
    close: quit,
  };
}
