import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Channel } from '../../../local/vm/channel.ts';

const command = { command: ['true'], env: {}, cwd: '/', timeoutSeconds: 1, stdin: '' };
const base64 = (bytes: string | Uint8Array) => Buffer.from(bytes).toString('base64');

function open() {
  const fromNode = new PassThrough();
  const toNode = new PassThrough({ encoding: 'utf8' });
  const channel = new Channel(fromNode, toNode);
  return {
    channel,
    say: (message: object) => fromNode.write(`${JSON.stringify(message)}\n`),
    raw: (text: string) => fromNode.write(text),
    heard: () =>
      String(toNode.read() ?? '')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  };
}

describe('the channel to a virtual node', () => {
  it('sends a command, and gives back its output and its end', async () => {
    const { channel, say, heard } = open();
    const output: [string, string][] = [];
    const result = channel.run({
      ...command,
      stdin: 'ünï',
      onOutput: (stream, text) => output.push([stream, text]),
    });
    const [message] = heard();
    say({ id: message.id, stdout: base64('out') });
    say({ id: message.id, stderr: base64('err') });
    say({ id: message.id, ended: { code: 3, signal: 0, timedOut: false } });

    expect(await result).toEqual({ code: 3, signal: 0, timedOut: false });
    expect(message.start).toMatchObject({ command: ['true'], stdin: base64('ünï'), timeoutSeconds: 1 });
    expect(output).toEqual([
      ['stdout', 'out'],
      ['stderr', 'err'],
    ]);
  });

  it('puts together a character that was cut between two messages', async () => {
    const { channel, say } = open();
    let output = '';
    const result = channel.run({
      ...command,
      onOutput: (_, text) => {
        output += text;
      },
    });
    const [first, ...rest] = Buffer.from('é');
    say({ id: 1, stdout: base64(Uint8Array.of(first ?? 0)) });
    say({ id: 1, stdout: base64(Uint8Array.from(rest)) });
    say({ id: 1, ended: { code: 0, signal: 0, timedOut: false } });
    await result;

    expect(output).toBe('é');
  });

  it('asks for the kill of a command whose signal is aborted', async () => {
    const { channel, say, heard } = open();
    const abort = new AbortController();
    const result = channel.run({ ...command, signal: abort.signal });
    abort.abort();
    const messages = heard();
    say({ id: 1, ended: { code: null, signal: 9, timedOut: false } });

    expect(messages.at(-1)).toEqual({ id: 1, kill: true });
    expect(await result).toMatchObject({ signal: 9 });
  });

  it('says why a command could not be started', async () => {
    const { channel, say } = open();
    const result = channel.run(command);
    say({ id: 1, failed: 'No such file' });
    await expect(result).rejects.toThrow('cannot run it in the virtual node: No such file');
  });

  it('fails everything that waits, and everything after it, when the node is gone', async () => {
    const { channel } = open();
    const [ready, running] = [channel.ready, channel.run(command)];
    channel.fail(new Error('off'));

    await expect(ready).rejects.toThrow('off');
    await expect(running).rejects.toThrow('off');
    await expect(channel.run(command)).rejects.toThrow('off');
  });

  it('takes what is not a message for the end of the node', async () => {
    const { channel, raw } = open();
    raw('Segmentation fault\n');
    await expect(channel.ready).rejects.toThrow(/not a message: Segmentation fault/);
  });
});
