/** The phases of an incident, in the words of its people; and what comes before it on one machine. */
export type Phase =
  | 'prepare'
  | 'open'
  | 'examine'
  | 'diagnose'
  | 'plan'
  | 'gate'
  | 'approve'
  | 'treat'
  | 'verify'
  | 'undo'
  | 'next rung'
  | 'close'
  | 'janitor';

const phaseOfState: readonly [RegExp, Phase][] = [
  [/^(Open|LeaseTaken\?|OpenFailed)$/, 'open'],
  [/Examine/, 'examine'],
  [/^Diagnose$/, 'diagnose'],
  [/^(Plan|AnythingToDo\?)$/, 'plan'],
  [/Gate/, 'gate'],
  [/Approval|^Approved\?$|Recheck|^StillTrue\?$/, 'approve'],
  [
    /Treatment|Replace|^HoldNode$|^Held\?$|^SettleNode$|^Settled\?$|^WaitForSettling$|^Treated\?$|^Notify$/,
    'treat',
  ],
  [/Sample|Verify|^Verdict\?$/, 'verify'],
  [/Undo|^Undone\?$/, 'undo'],
  [/^(NextRung|RungLeft\?)$/, 'next rung'],
];

/** The phase that a state of the state machine belongs to. */
export function phaseOf(state: string): Phase {
  return phaseOfState.find(([pattern]) => pattern.test(state))?.[1] ?? 'close';
}

/** Adds up the time spent in each phase. */
export class PhaseClock {
  readonly #byPhase = new Map<Phase, number>();
  readonly #started = performance.now();
  #since = this.#started;
  #phase: Phase | undefined;

  /** Leaves the present phase, and enters another. */
  enter(phase: Phase | undefined): void {
    const now = performance.now();
    if (this.#phase !== undefined) {
      this.#byPhase.set(this.#phase, (this.#byPhase.get(this.#phase) ?? 0) + now - this.#since);
    }
    this.#phase = phase;
    this.#since = now;
  }

  get phase(): Phase | undefined {
    return this.#phase;
  }

  get elapsedMs(): number {
    return performance.now() - this.#started;
  }

  /** Whole milliseconds, in all and by phase. */
  timings(): { total: number; byPhase: Record<string, number> } {
    this.enter(this.#phase);
    const byPhase = [...this.#byPhase].map(([phase, ms]) => [phase, Math.round(ms)]);
    return { total: Math.round(this.elapsedMs), byPhase: Object.fromEntries(byPhase) };
  }
}
