import { hostname } from 'node:os';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ApprovalPages } from '../../local/approval-page/approval-pages.ts';
import { type AskPeopleProps, askPeople, NobodyToAskError } from '../../local/ask-people.ts';
import { askAtTerminal } from '../../local/terminal.ts';
import { hostile, sampleQuestion } from './sample-question.ts';

function terminal() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let text = '';
  output.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const sees = (what: string) => expect.poll(() => text).toContain(what);
  const type = async (prompt: string, line: string) => {
    await sees(prompt);
    text = '';
    input.write(`${line}\n`);
  };
  return { input, output, type, sees, text: () => text };
}

describe('the question at the terminal', () => {
  it('takes yes, and no with a reason only', async () => {
    const { question, given } = sampleQuestion();
    const { type, ...own } = terminal();
    const asked = askAtTerminal(question, own);
    await type('[yes/no]', 'perhaps');
    await type('[yes/no]', 'no');
    await type('Reason', '');
    await type('[yes/no]', 'no');
    await type('Reason', 'too busy');
    await asked;

    expect(given).toEqual([{ decision: 'deny', reason: 'too busy' }]);
  });

  it('says why a decision is refused, and asks again', async () => {
    const { question, given } = sampleQuestion({
      refuse: ({ decision }) => (decision === 'approve' ? 'ana may not' : undefined),
    });
    const { type, ...own } = terminal();
    const asked = askAtTerminal(question, own);
    await type('[yes/no]', 'yes');
    await own.sees('Refused: ana may not.');
    await type('[yes/no]', 'no');
    await type('Reason', 'then not');
    await asked;

    expect(given).toHaveLength(2);
  });

  it('is taken back when somebody decides on the page, and says so', async () => {
    const { question } = sampleQuestion();
    const own = terminal();
    const asked = askAtTerminal(question, own);
    await own.sees('[yes/no]');
    await question.decide({ decision: 'approve' }, 'page');
    await asked;

    expect(own.text()).toContain('This approval is approved by ana on the page');
  });

  it('takes nothing for an answer that was typed before the question was seen', async () => {
    const { question, given } = sampleQuestion();
    const { type, ...own } = terminal();
    own.input.write('yes\n');
    const asked = askAtTerminal(question, own);
    await type('[yes/no]', 'no');
    await type('Reason', 'not yet');
    await asked;

    expect(given).toEqual([{ decision: 'deny', reason: 'not yet' }]);
  });

  it('prints no control characters of the node', async () => {
    const { question, over } = sampleQuestion({ text: hostile });
    const own = terminal();
    const asked = askAtTerminal(question, own);
    await own.sees('[yes/no]');
    over.abort();
    await asked;

    expect(own.text()).toContain('·[2J');
    expect(own.text()).not.toContain('\u001b[2J');
  });
});

describe('two decisions at the same moment', () => {
  it('are taken in their order: the first is recorded, the second told', async () => {
    const { question, given } = sampleQuestion();
    const [first, second] = await Promise.all([
      question.decide({ decision: 'deny', reason: 'no' }, 'terminal'),
      question.decide({ decision: 'approve' }, 'page'),
    ]);

    expect(first).toMatchObject({ status: 'recorded' });
    expect(second).toEqual({ status: 'refused', reason: 'this approval is already denied' });
    expect(given).toHaveLength(1);
    expect(question.settled).toMatchObject({ status: 'denied', place: 'terminal', reason: 'no' });
  });

  it('are known by where they were given, even where the message of their end is faster', async () => {
    const { question } = sampleQuestion({
      refuse: () => {
        question.settle({ status: 'approved', by: ['ana'], at: 'noon' });
        return undefined;
      },
    });
    await question.decide({ decision: 'approve' }, 'terminal');
    expect(question.settled).toMatchObject({ status: 'approved', place: 'terminal' });
  });

  it('are known by the message where the answer did not come', async () => {
    const { question } = sampleQuestion({
      refuse: () => {
        question.settle({ status: 'approved', by: ['ana'], at: 'noon' });
        throw new Error('it died');
      },
    });
    await expect(question.decide({ decision: 'approve' }, 'page')).rejects.toThrow('it died');
    await expect.poll(() => question.settled).toEqual({ status: 'approved', by: ['ana'], at: 'noon' });
  });
});

class NoPages extends ApprovalPages {
  override open(): Promise<string> {
    return Promise.reject(new Error('listen EPERM'));
  }
}

describe('asking people', () => {
  function ask(props: Partial<AskPeopleProps> = {}) {
    let said = '';
    const sample = sampleQuestion();
    const people = askPeople({
      say: (text) => {
        said += text;
      },
      ...props,
    });
    return { ...sample, ...people, asked: people.ask(sample.question), said: () => said };
  }

  it('without a terminal invites to the page, and says what happens without a decision', async () => {
    const { asked, said, over, close } = ask();
    await expect.poll(said).toMatch(/Decide on this page: http:\/\/127\.0\.0\.1/);
    expect(said()).toContain('Without a decision the approval expires at 2026-11-28T12:00:00.000Z');
    over.abort();
    await asked;
    await close();
  });

  it('says how a browser on another machine gets there', async () => {
    const { asked, said, over, close } = ask();
    await expect.poll(said).toContain('another machine');
    const port = /127\.0\.0\.1:(\d+)\/[\w-]{43}\//.exec(said())?.[1];
    expect(said()).toContain(`ssh -N -L ${port}:127.0.0.1:${port} ${hostname()}\n`);
    over.abort();
    await asked;
    await close();
  });

  it('at a terminal that is closed (Ctrl-D) leaves the page, and says so', async () => {
    const own = terminal();
    const { asked, said, question, close } = ask({ terminal: own });
    await own.sees('[yes/no]');
    own.input.end();
    await expect.poll(said).toMatch(/Nothing is asked here any more. Decide on this page: http:\/\/127/);
    await question.decide({ decision: 'approve' }, 'page');
    await asked;
    await close();
  });

  it('at a terminal that is closed, and without a page, is an error', async () => {
    const own = terminal();
    const { asked } = ask({ terminal: own, pages: new NoPages() });
    const failed = expect(asked).rejects.toThrow(NobodyToAskError);
    await own.sees('[yes/no]');
    own.input.end();
    await failed;
  });

  it('says at a terminal, below the card, where the page is', async () => {
    const own = terminal();
    const { asked, question, close } = ask({ terminal: own });
    await own.sees('[yes/no]');
    expect(own.text()).toMatch(
      /dying cgroups\n\nDecide here, or on this page: http:\/\/127\.0\.0\.1:(\d+)\/.*\n.*ssh -N -L \1:127\.0\.0\.1:\1 .*\nApprove\? /,
    );
    await question.decide({ decision: 'approve' }, 'page');
    await asked;
    await close();
  });

  it('goes on at the terminal when there can be no page', async () => {
    const own = terminal();
    const { asked, said, given } = ask({ terminal: own, pages: new NoPages() });
    await own.type('[yes/no]', 'yes');
    await asked;
    expect(said()).toBe('There is no page to decide on: listen EPERM\n');
    expect(given).toHaveLength(1);
  });

  it('with neither a page nor a terminal is an error', async () => {
    await expect(ask({ pages: new NoPages() }).asked).rejects.toThrow(NobodyToAskError);
  });
});
