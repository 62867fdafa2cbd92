import { type AgentMachine, type AgentScript, agentEnvironment, killedCode } from './agent-machine.ts';
import { openHostMachine } from './host-machine.ts';
import { checkParameters, type ParameterRules } from './parameters.ts';

export { checkParameters, InvalidParametersError } from './parameters.ts';

/** What the service keeps of a step's output. */
export const stdoutLimit = 24_000;
export const stderrLimit = 8_000;

const defaultTimeoutSeconds = 3600;
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
  /** A recorded node's folder; without it the document reads and changes the whole machine. */
  root?: string;
  /** Where its steps run. @default this host */
  openMachine?: () => Promise<AgentMachine>;
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
    ...agentEnvironment,
    ...(run.root === undefined ? {} : { CGROUP_MEDIC_ROOT: run.root }),
    ...run.env,
    ...Object.fromEntries(byEnvironment.map(([name, value]) => [`SSM_${name}`, value])),
  };
  const steps: StepResult[] = [];
  const machine = await (run.openMachine ?? openHostMachine)();
  try {
    for (const [index, step] of run.content.mainSteps.entries()) {
      const result = await runStep(machine, step.name, {
        file: `_script_${index}.sh`,
        text: substitute(step.inputs.runCommand.join('\n'), asText),
        env,
        timeoutSeconds: Number(step.inputs.timeoutSeconds ?? defaultTimeoutSeconds),
        signal: run.signal,
        onOutput: run.onOutput,
      });
      steps.push(result);
      if (result.status === 'Cancelled' || result.rebootRequested) break;
      if (result.status !== 'Success' && step.onFailure === 'exit') break;
    }
  } finally {
    await machine.close();
  }
  return summary(steps);
}

/** A parameter without ENV_VAR is pasted into the script, whatever it contains. */
function substitute(script: string, values: [string, string][]): string {
  const byName = new Map(values);
  return script.replace(/\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g, (whole, name: string) => byName.get(name) ?? whole);
}

async function runStep(
  machine: AgentMachine,
  name: string,
  { onOutput, signal, ...script }: AgentScript,
): Promise<StepResult> {
  const output = { stdout: '', stderr: '' };
  const ended = signal?.aborted
    ? killedCode
    : await machine
        .run({
          ...script,
          signal,
          onOutput: (stream, text) => {
            if (output[stream].length < bufferLimit) output[stream] += text;
            onOutput?.(stream, text);
          },
        })
        .catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error);
          throw new Error(`cannot run step "${name}": ${reason}`, { cause: error });
        });
  return {
    name,
    status: signal?.aborted ? 'Cancelled' : statusOf(ended),
    responseCode: ended,
    stdout: output.stdout.slice(0, stdoutLimit),
    stderr: output.stderr.slice(0, stderrLimit),
    rebootRequested: ended === rebootCode,
  };
}

/** The agent cannot tell its own SIGKILL from the kernel's: every 137 is a time-out to it. */
function statusOf(responseCode: number): Status {
  if (responseCode === 0 || responseCode === rebootCode) return 'Success';
  return responseCode === killedCode ? 'TimedOut' : 'Failed';
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
