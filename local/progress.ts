import type { PhaseClock } from './phases.ts';

/** Nothing new for so long: say what is being waited for; then after twice as long, up to a minute. */
const quietMs = 5000;
const longestQuietMs = 60_000;

/** Where progress goes. No control characters: a pipe, a log and a screen reader get the same lines as a terminal. */
export class Progress {
  readonly #clock: PhaseClock;
  readonly #write: (text: string) => void;
  readonly #timer: NodeJS.Timeout;
  #waiting = '';
  #last = performance.now();
  #quietMs = quietMs;

  constructor(clock: PhaseClock, write: (text: string) => void) {
    this.#clock = clock;
    this.#write = write;
    this.#timer = setInterval(() => this.#remind(), 1000).unref();
  }

  /** One line: seconds since the start, phase, text. Further lines of the text are indented below it. */
  say(text: string, phase: string = this.#clock.phase ?? ''): void {
    const seconds = (this.#clock.elapsedMs / 1000).toFixed(1);
    const [first = '', ...rest] = text.split('\n');
    const indent = ' '.repeat(24);
    this.#write(`${seconds.padStart(8)} s  ${phase.padEnd(11)}  ${first}\n`);
    for (const line of rest) this.#write(`${indent}${line}\n`);
    this.#last = performance.now();
  }

  /** What is being waited for, said again and again while nothing else happens, ever less often. Empty: nothing. */
  waitFor(text: string): void {
    this.#waiting = text;
    this.#quietMs = quietMs;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #remind(): void {
    if (this.#waiting === '' || performance.now() - this.#last < this.#quietMs) return;
    this.say(`still waiting for ${this.#waiting}`);
    this.#quietMs = Math.min(2 * this.#quietMs, longestQuietMs);
  }
}
