import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../temporary-folder.ts';
import { type AgentMachine, type AgentScript, killedCode } from './agent-machine.ts';

/** This host, with a folder for the scripts of one document. */
export async function openHostMachine(): Promise<AgentMachine> {
  const folder = temporaryFolder('agent');
  return {
    run: (script) => runHere(folder, script),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

async function runHere(folder: string, script: AgentScript): Promise<number> {
  const path = join(folder, script.file);
  // At one go: a process that another document starts meanwhile would hold the file open, and an open file cannot be run.
  writeFileSync(path, script.text, { mode: 0o700 });
  if (script.signal?.aborted) return killedCode;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  // `detached` makes the step the leader of a process group of its own, so that all of it can be killed.
  const child = spawn('sh', ['-c', path], {
    cwd: folder,
    env: { ...script.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => script.onOutput?.(stream, text));
  }
  const kill = () => killGroup(child.pid);
  const timer = setTimeout(kill, script.timeoutSeconds * 1000);
  script.signal?.addEventListener('abort', kill, { once: true });
  const finish = () => {
    clearTimeout(timer);
    script.signal?.removeEventListener('abort', kill);
  };
  child.once('error', (error) => {
    finish();
    reject(error);
  });
  // "close", not "exit": the agent, too, waits until nobody holds the output any more.
  child.once('close', (code, signal) => {
    finish();
    resolve(code ?? (signal === 'SIGKILL' ? killedCode : 1));
  });
  return promise;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
