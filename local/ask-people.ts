import { hostname } from 'node:os';
import { printable } from '../lambdas/domain/printable.ts';
import { ApprovalPages } from './approval-page/approval-pages.ts';
import type { Asker } from './approvals.ts';
import type { Question } from './question.ts';
import { askAtTerminal, type Terminal } from './terminal.ts';

/** Raised when a person has to be asked, and there is neither a page nor a terminal. */
export class NobodyToAskError extends Error {
  override readonly name = 'NobodyToAskError';
}

export type People = { ask: Asker; close(): Promise<void> };

export interface AskPeopleProps {
  /** Left out: there is none. */
  readonly terminal?: Terminal | undefined;
  /** Says something to people, and keeps standard output for the record. */
  say(text: string): void;
  readonly pages?: ApprovalPages;
}

/** Asks on a page of this machine and at the terminal, if there is one. Whoever answers first decides. */
export function askPeople({ terminal, say, pages = new ApprovalPages() }: AskPeopleProps): People {
  return {
    async ask(question) {
      const link = await pages.open(question).catch((error: Error) => {
        say(`There is no page to decide on: ${error.message}\n`);
        return undefined;
      });
      if (link === undefined && terminal === undefined) {
        throw nobodyToAsk(question);
      }
      if (terminal !== undefined) {
        const alsoAt =
          link === undefined ? '' : `Decide here, or on this page: ${link}\n${fromElsewhere(link)}`;
        if ((await askAtTerminal(question, terminal, alsoAt)) === 'over') return;
      }
      if (link === undefined) throw nobodyToAsk(question);
      const why =
        terminal === undefined ? 'There is no terminal to ask at' : 'Nothing is asked here any more';
      say(`\n${printable(question.request.title)}\n${why}. ${onlyThere(question, link)}`);
      await ended(question.signal);
    },
    close: () => pages.close(),
  };
}

function nobodyToAsk({ request }: Question): NobodyToAskError {
  return new NobodyToAskError(
    `${printable(request.title)} Somebody has to answer, and there is neither a page nor a terminal to ask at: start again with --approve yes or --approve no.`,
  );
}

function onlyThere({ request }: Question, link: string): string {
  return `Decide on this page: ${link}\nWithout a decision the approval expires at ${request.expiresAt}, and the incident ends as expired.\n${fromElsewhere(link)}\n`;
}

/** The page answers to one address only, so that the port has to be the same at both ends of a tunnel. */
function fromElsewhere(link: string): string {
  const { host, port } = new URL(link);
  return `If your browser is on another machine, run this there first: ssh -N -L ${port}:${host} ${hostname()}`;
}

async function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
}
