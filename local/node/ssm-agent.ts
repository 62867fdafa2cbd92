import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../temporary-folder.ts';
import { checkParameters, type ParameterRules } from './parameters.ts';

export { checkParameters, InvalidParametersError } from './parameters.ts';

/** What the service keeps of a step's output. */
export const stdoutLimit = 24_000;
export const stderrLimit = 8_000;

const defaultTimeoutSeconds = 3600;
const killedCode = 137;
const rebootCode = 194;
/** Enough to fill the limits of the service many times over; what comes after is read and dropped. */
const bufferLimit = 1_000_000;

export type Status = 'Success' | 'Failed' | 'TimedOut' | 'Cancelled';

export type StepResult = {
  name: string;
  status: Status;
  responseCode: number;
  stdout: string;
  stderr: string;
  /** The step ended with 194: the real agent restarts the node and then runs the step again. */
  rebootRequested: boolean;
};

export type DocumentResult = Omit<StepResult, 'name'> & { steps: StepResult[] };

export type RunDocument = {
  content: AgentDocument;
  parameters: Readonly<Record<string, string>>;
  /** A recorded node's folder; without it the document reads and changes this host. */
  root?: string;
  /** Added to the minimal environment that the agent gives a document. */
  env?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  onOutput?: (stream: 'stdout' | 'stderr', text: string) => void;
};

/** As much of a Command document as the agent looks at. */
export type AgentDocument = ParameterRules & {
  mainSteps: readonly {
    name: string;
    onFailure?: 'exit' | undefined;
    inputs: { timeoutSeconds?: string | undefined; runCommand: readonly string[] };
  }[];
};

/**
 * Runs a Command document as the SSM agent does on Linux: each step is one file run by `sh -c`, a failed step does
 * not stop the next one unless it says so, a time-out is SIGKILL to the step's process group.
 *
 * @throws InvalidParametersError, as SendCommand would refuse the command.
 */
export async function runDocument(run: RunDocument): Promise<DocumentResult> {
  const values = checkParameters(run.content, run.parameters);
  const rules = run.content.parameters ?? {};
  const byEnvironment = Object.entries(values).filter(
    ([name]) => rules[name]?.interpolationType === 'ENV_VAR',
  );
  const asText = Object.entries(values).filter(([name]) => rules[name]?.interpolationType !== 'ENV_VAR');
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C',
    ...(run.root === undefined ? {} : { CGROUP_MEDIC_ROOT: run.root }),
    ...run.env,
    ...Object.fromEntries(byEnvironment.map(([name, value]) => [`SSM_${name}`, value])),
  };
  const folder = temporaryFolder('agent');
  const steps: StepResult[] = [];
  try {
    for (const [index, step] of run.content.mainSteps.entries()) {
      const script = join(folder, `_script_${index}.sh`);
      await writeFile(script, substitute(step.inputs.runCommand.join('\n'), asText), { mode: 0o700 });
      const result = await runStep(step.name, script, {
        env,
        folder,
        timeoutSeconds: Number(step.inputs.timeoutSeconds ?? defaultTimeoutSeconds),
        signal: run.signal,
        onOutput: run.onOutput,
      });
      steps.push(result);
      if (result.status === 'Cancelled' || result.rebootRequested) break;
      if (result.status !== 'Success' && step.onFailure === 'exit') break;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return summary(steps);
}

/** A parameter without ENV_VAR is pasted into the script, whatever it contains. */
function substitute(script: string, values: [string, string][]): string {
  const byName = new Map(values);
  return script.replace(/\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g, (whole, name: string) => byName.get(name) ?? whole);
}

type StepOptions = {
  env: Record<string, string>;
  folder: string;
  timeoutSeconds: number;
  signal: AbortSignal | undefined;
  onOutput: RunDocument['onOutput'];
};

function runStep(name: string, script: string, options: StepOptions): Promise<StepResult> {
  const { promise, resolve, reject } = Promise.withResolvers<StepResult>();
  if (options.signal?.aborted) {
    return Promise.resolve({
      name,
      status: 'Cancelled',
      responseCode: killedCode,
      stdout: '',
      stderr: '',
      rebootRequested: false,
    });
  }
  // `detached` makes the step the leader of a process group of its own, so that all of it can be killed.
  const child = spawn('sh', ['-c', script], {
    cwd: options.folder,
    env: options.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      if (output[stream].length < bufferLimit) output[stream] += text;
      options.onOutput?.(stream, text);
    });
  }
  let cancelled = false;
  const kill = () => killGroup(child.pid);
  const cancel = () => {
    cancelled = true;
    kill();
  };
  const timer = setTimeout(kill, options.timeoutSeconds * 1000);
  options.signal?.addEventListener('abort', cancel, { once: true });
  const finish = () => {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', cancel);
  };
  child.once('error', (error) => {
    finish();
    reject(new Error(`cannot run step "${name}": ${error.message}`, { cause: error }));
  });
  // "close", not "exit": the agent, too, waits until nobody holds the output any more.
  child.once('close', (code, signal) => {
    finish();
    const responseCode = code ?? (signal === 'SIGKILL' ? killedCode : 1);
    resolve({
      name,
      status: cancelled ? 'Cancelled' : statusOf(responseCode),
      responseCode,
      stdout: output.stdout.slice(0, stdoutLimit),
      stderr: output.stderr.slice(0, stderrLimit),
      rebootRequested: responseCode === rebootCode,
    });
  });
  return promise;
}

/** The agent cannot tell its own SIGKILL from the kernel's: every 137 is a time-out to it. */
function statusOf(responseCode: number): Status {
  if (responseCode === 0 || responseCode === rebootCode) return 'Success';
  return responseCode === killedCode ? 'TimedOut' : 'Failed';
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function summary(steps: StepResult[]): DocumentResult {
  const worst = (['Cancelled', 'TimedOut', 'Failed'] as const).find((status) =>
    steps.some((step) => step.status === status),
  );
  const deciding = steps.find((step) => step.status === worst) ?? steps.at(-1);
  return {
    status: worst ?? 'Success',
    responseCode: deciding?.responseCode ?? 0,
    stdout: steps
      .map((step) => step.stdout)
      .join('')
      .slice(0, stdoutLimit),
    stderr: steps
      .map((step) => step.stderr)
      .join('')
      .slice(0, stderrLimit),
    rebootRequested: steps.some((step) => step.rebootRequested),
    steps,
  };
}
