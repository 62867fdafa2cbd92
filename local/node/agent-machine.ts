/** A process that SIGKILL ended. */
export const killedCode = 137;

/** The environment that the agent gives a document, before its parameters. */
export const agentEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C',
};

/** One step of a document: a script file, run by `sh -c` in the folder that it is in. */
export type AgentScript = {
  /** The name of the file. */
  file: string;
  text: string;
  env: Readonly<Record<string, string>>;
  /** Then its process group is killed. */
  timeoutSeconds: number;
  /** Kills its process group, too. */
  signal: AbortSignal | undefined;
  onOutput: ((stream: 'stdout' | 'stderr', text: string) => void) | undefined;
};

/** Where the steps of one document run. */
export type AgentMachine = {
  /** Resolves with the exit code once nobody holds the step's output any more. */
  run(script: AgentScript): Promise<number>;
  close(): Promise<void>;
};
