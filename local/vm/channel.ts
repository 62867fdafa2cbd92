import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import * as z from 'zod';

const Message = z.union([
  z.object({ ready: z.string() }),
  z.object({ id: z.int(), stdout: z.string() }),
  z.object({ id: z.int(), stderr: z.string() }),
  z.object({
    id: z.int(),
    ended: z.object({ code: z.int().nullable(), signal: z.int(), timedOut: z.boolean() }),
  }),
  z.object({ id: z.int(), failed: z.string() }),
]);
type Message = z.infer<typeof Message>;

export type ChannelCommand = {
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  timeoutSeconds: number;
  stdin: string | Buffer;
  signal?: AbortSignal | undefined;
  onOutput?: ((stream: 'stdout' | 'stderr', text: string) => void) | undefined;
};

export type ChannelResult = {
  /** `null` when a signal ended it; `signal` has its number then, and 0 otherwise. */
  code: number | null;
  signal: number;
  /** Its time was over, and its process group was killed. */
  timedOut: boolean;
};

type Job = {
  decoders: Record<'stdout' | 'stderr', StringDecoder>;
  onOutput: ChannelCommand['onOutput'];
  resolve: (result: ChannelResult) => void;
  reject: (error: Error) => void;
};

/** The host's end of `image/files/usr/local/lib/cgroup-medic/channel.py`: runs commands in a virtual node. */
export class Channel {
  readonly #output: Writable;
  readonly #jobs = new Map<number, Job>();
  readonly #ready = Promise.withResolvers<string>();
  #nextId = 1;
  #broken: Error | undefined;

  constructor(input: Readable, output: Writable) {
    this.#output = output;
    // The node may be gone at any time; what waits for it is told by `fail`.
    output.on('error', () => {});
    createInterface({ input }).on('line', (line) => this.#receive(line));
    this.#ready.promise.catch(() => {});
  }

  /** The node's boot id, once it takes commands. */
  get ready(): Promise<string> {
    return this.#ready.promise;
  }

  /** Runs a command; resolves when nobody in the node holds its output any more. */
  run(command: ChannelCommand): Promise<ChannelResult> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    command.signal?.throwIfAborted();
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<ChannelResult>();
    const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
    this.#jobs.set(id, { decoders, onOutput: command.onOutput, resolve, reject });
    const { env, cwd, timeoutSeconds } = command;
    const stdin = Buffer.from(command.stdin).toString('base64');
    this.#send({ id, start: { command: command.command, env, cwd, timeoutSeconds, stdin } });
    const kill = () => this.#send({ id, kill: true });
    command.signal?.addEventListener('abort', kill, { once: true });
    return promise.finally(() => command.signal?.removeEventListener('abort', kill));
  }

  /** The node is gone: everything that waits for it, or will, gets this error. */
  fail(error: Error): void {
    this.#broken ??= error;
    this.#ready.reject(this.#broken);
    for (const job of this.#jobs.values()) job.reject(this.#broken);
    this.#jobs.clear();
  }

  #send(message: object): void {
    this.#output.write(`${JSON.stringify(message)}\n`);
  }

  #receive(line: string): void {
    let message: Message;
    try {
      message = Message.parse(JSON.parse(line));
    } catch (error) {
      this.fail(
        new Error(`the virtual node sent what is not a message: ${line.slice(0, 200)}`, { cause: error }),
      );
      return;
    }
    if ('ready' in message) this.#ready.resolve(message.ready);
    else this.#tell(message);
  }

  #tell(message: Exclude<Message, { ready: string }>): void {
    const job = this.#jobs.get(message.id);
    if (job === undefined) return;
    if ('stdout' in message) decode(job, 'stdout', message.stdout);
    else if ('stderr' in message) decode(job, 'stderr', message.stderr);
    else {
      this.#jobs.delete(message.id);
      if ('failed' in message) job.reject(new Error(`cannot run it in the virtual node: ${message.failed}`));
      else job.resolve(message.ended);
    }
  }
}

/** A character can be cut between two messages. */
function decode(job: Job, stream: 'stdout' | 'stderr', data: string): void {
  job.onOutput?.(stream, job.decoders[stream].write(Buffer.from(data, 'base64')));
}
