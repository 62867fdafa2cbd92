import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program of the host that answers on a loopback port until it is stopped. */
export type Daemon = {
  /** Its address, without a slash at the end. */
  url: string;
  /** What it has printed until now. */
  log(): string;
  /** Ends the process, if need be with force, and waits for that. */
  stop(): Promise<void>;
};

/**
 * Starts node_exporter, Prometheus or Alertmanager, which take their address by the same flag, and waits until `path` answers.
 *
 * @throws where it ends before that; the message has what it printed
 */
export async function startDaemon(command: string, flags: readonly string[], path: string): Promise<Daemon> {
  const address = `127.0.0.1:${await freePort()}`;
  // A test that is interrupted runs no hook: the kernel ends what it leaves behind.
  const child = spawn('setpriv', ['--pdeathsig=KILL', command, `--web.listen-address=${address}`, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  // That it cannot be started is told below, or nobody waits any more.
  ended.catch(() => {});
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const url = `http://${address}`;
  const stop = async (): Promise<void> => {
    child.kill();
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended.catch(() => {});
    clearTimeout(late);
  };
  try {
    while (child.exitCode === null && child.signalCode === null) {
      if (await answers(`${url}${path}`)) return { url, log: () => log, stop };
      // A program that there is not ends this wait.
      await Promise.race([sleep(100), ended]);
    }
    throw new Error(`${command} ended by itself (${child.exitCode}): ${log.slice(-2000)}`);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const { ok, body } = await fetch(url);
    await body?.cancel();
    return ok;
  } catch {
    // It does not listen yet.
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free on 127.0.0.1');
  return address.port;
}
