import { createInterface, type Interface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { printable } from '../lambdas/domain/printable.ts';
import type { Decision } from './approvals.ts';
import { type Question, settledSentence } from './question.ts';

export type Terminal = { input: NodeJS.ReadableStream; output: NodeJS.WritableStream };

/** The terminal of this process. Questions go to standard error, so that standard output stays for the record. */
export function ownTerminal(): Terminal | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  return { input: process.stdin, output: process.stderr };
}

/** What was typed before the question was seen is no answer to it; so long it is looked for, and dropped. */
const typedAheadMs = 100;

/**
 * Asks until a decision is recorded, here or elsewhere. A refusal is said, and the question asked again.
 *
 * @param alsoAt says where else one can decide
 * @returns `closed`: nobody can answer here any more (Ctrl-D), and the question is open
 */
export async function askAtTerminal(
  question: Question,
  { input, output }: Terminal,
  alsoAt = '',
): Promise<'over' | 'closed'> {
  const { request } = question;
  const closed = new AbortController();
  const signal = AbortSignal.any([question.signal, closed.signal]);
  const say = (text: string) => output.write(`${printable(text)}\n`);
  say(`\n${request.title}\n${request.text.replace(/^/gm, '  ')}`);
  // Next to the prompt: a card is longer than a screen.
  if (alsoAt !== '') say(`\n${alsoAt}`);
  const lines = createInterface({ input, output, prompt: '' });
  // A prompt takes the keyboard over, so Ctrl-C would not reach the process by itself.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  lines.once('close', () => closed.abort());
  try {
    await sleep(typedAheadMs, undefined, { signal });
    if (lines.terminal) lines.write(null, { ctrl: true, name: 'u' });
    for (;;) {
      const answer = await question.decide(await readDecision(lines, signal, say), 'terminal');
      if (answer.status === 'recorded') {
        const { status, decisions, quorum } = answer.approval;
        if (status === 'pending')
          say(`Recorded: ${decisions} of ${quorum}. Somebody else has to approve as well.`);
        return 'over';
      }
      if (question.signal.aborted) break;
      say(`Refused: ${answer.reason}.`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    lines.close();
  }
  if (!question.signal.aborted) return 'closed';
  if (question.settled !== undefined) say(`\n${settledSentence(question.settled)}`);
  return 'over';
}

async function readDecision(
  lines: Interface,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<Decision> {
  for (;;) {
    const answer = (await lines.question('Approve? [yes/no] ', { signal })).trim().toLowerCase();
    if (['y', 'yes'].includes(answer)) return { decision: 'approve' };
    if (['n', 'no'].includes(answer)) {
      const reason = (
        await lines.question('Reason for the denial (needed; it goes into the audit): ', { signal })
      ).trim();
      if (reason !== '') return { decision: 'deny', reason };
      say('A denial needs a reason.');
    } else {
      say(`"${answer.slice(0, 40)}" is no decision: yes or no.`);
    }
  }
}
