import type { ApprovalStatus } from '../lambdas/domain/approval/approval.ts';
import type { DecideAnswer } from '../lambdas/domain/approval/decide-answer.ts';
import type { ApprovalRequest, Decision } from './approvals.ts';

/** The places on this machine where a person can answer. */
export type Place = 'page' | 'terminal';

/** How a question ended. */
export type Settled = {
  status: ApprovalStatus;
  by: readonly string[];
  reason?: string | undefined;
  at: string;
  /** Left out: not decided by a person here. */
  place?: Place;
};

export interface QuestionProps {
  readonly request: ApprovalRequest;
  /** Whoever is at this machine. */
  readonly person: string;
  /** Fires when the incident is over, whatever became of the question. */
  readonly over: AbortSignal;
  /** Hands a decision to the function `decide`. */
  decide(decision: Decision): Promise<DecideAnswer>;
}

/** One approval that is asked for at several places at once. The first decision that is recorded ends it at all of them. */
export class Question {
  readonly request: ApprovalRequest;
  /** Fires when nothing is asked any more: settled, or the incident is over. */
  readonly signal: AbortSignal;
  readonly #props: QuestionProps;
  readonly #end = new AbortController();
  #settled: Settled | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(props: QuestionProps) {
    this.request = props.request;
    this.#props = props;
    this.signal = AbortSignal.any([this.#end.signal, props.over]);
  }

  get settled(): Settled | undefined {
    return this.#settled;
  }

  /** Gives a decision, after those that came before it: so the first is the one that is recorded, and is known as such. */
  decide(decision: Decision, place?: Place): Promise<DecideAnswer> {
    this.#waiting += 1;
    const answer = this.#last
      .then(() => this.#decide(decision, place))
      .finally(() => {
        this.#waiting -= 1;
      });
    this.#last = answer.catch(() => {});
    return answer;
  }

  /** The first word is the last: a message that repeats a decision takes nothing from it, even where it is the faster one. */
  settle(settled: Settled): void {
    if (this.#waiting === 0) this.#settle(settled);
    else void this.#last.then(() => this.settle(settled));
  }

  #settle(settled: Settled): void {
    if (this.#settled !== undefined) return;
    this.#settled = settled;
    this.#end.abort();
  }

  async #decide(decision: Decision, place: Place | undefined): Promise<DecideAnswer> {
    if (this.#settled !== undefined) {
      return { status: 'refused', reason: `this approval is already ${this.#settled.status}` };
    }
    if (this.signal.aborted) return { status: 'refused', reason: 'the run has ended' };
    const answer = await this.#props.decide(decision);
    if (answer.status === 'recorded' && answer.approval.status !== 'pending') {
      this.#settle({
        status: answer.approval.status,
        by: [this.#props.person],
        reason: decision.reason,
        at: new Date().toISOString(),
        ...(place === undefined ? {} : { place }),
      });
    }
    return answer;
  }
}

/** How it ended, for the places where it was not decided and for whoever comes later. */
export function settledSentence({ status, by, reason, at, place }: Settled): string {
  const who = by.length === 0 ? '' : ` by ${by.join(', ')}`;
  const where = place === undefined ? '' : place === 'page' ? ' on the page' : ' at the terminal';
  return `This approval is ${status}${who}${where}, at ${at}${reason === undefined || reason === '' ? '.' : `: ${reason}`}`;
}
