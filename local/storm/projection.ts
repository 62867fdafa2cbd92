import { intakePace } from '../../lambdas/domain/intake/pace.ts';
import type { Cluster, Settings } from '../../lambdas/domain/settings.ts';
import { looksIn } from '../../lambdas/domain/verification/looks.ts';
import type { RecordedCall } from '../cloud/wire.ts';
import type { Served } from '../engine/lambda-runtime.ts';
import type { Timed } from './checks/rates.ts';

/** A state of an execution as it was here; times in ms. */
export type Visit = { state: string; type: string; enteredAt: number; exitedAt: number };

/** Calls of one function, by what they are: how many it makes each time that it is invoked, on average. */
export type Profile = { invocations: number; calls: ReadonlyMap<string, number> };

/** Seconds; the medians of docs/speed.md: entering a state, and what a function waits for others. */
const transitionSeconds = 0.1;
const functionSeconds = 0.15;
/** Incidents a second that the intake starts at the most. */
const startsPerSecond = (intakePace.batch * intakePace.batchesAtOnce) / intakePace.batchSeconds;

/** What each function calls, by the access keys of their processes. A process serves one event at a time. */
export function profilesOf(served: readonly Served[], calls: readonly RecordedCall[]): Map<string, Profile> {
  const byKey = Map.groupBy(calls, ({ accessKey }) => accessKey);
  const profiles = new Map<string, { invocations: number; calls: Map<string, number> }>();
  for (const { name, accessKey, startedAt, endedAt } of served) {
    const profile = profiles.get(name) ?? { invocations: 0, calls: new Map<string, number>() };
    profile.invocations += 1;
    profiles.set(name, profile);
    const own = byKey.get(accessKey) ?? [];
    for (const { service, call, at } of own) {
      if (at.getTime() < startedAt || at.getTime() > endedAt) continue;
      const what = `${service}:${call}`;
      profile.calls.set(what, (profile.calls.get(what) ?? 0) + 1);
    }
  }
  return new Map(
    [...profiles].map(([name, { invocations, calls: sums }]) => [
      name,
      { invocations, calls: new Map([...sums].map(([what, sum]) => [what, sum / invocations])) },
    ]),
  );
}

export interface ProjectionProps {
  /** The states that each execution has been in, in order, by its name; in the order in which they were started. */
  readonly visits: ReadonlyMap<string, readonly Visit[]>;
  /** The function of each state that invokes one. */
  readonly functions: ReadonlyMap<string, string>;
  readonly profiles: ReadonlyMap<string, Profile>;
  /** With which waits a deployment would have, and which there were here. */
  readonly deployed: { cluster: Cluster; command: Settings['command'] };
}

/**
 * Every call of a storm at the time at which a deployment would have made it: each incident goes through the very states that it
 * went through here, a wait lasts what the deployed settings say, a function and a transition what docs/speed.md says, and a
 * person is as quick as here.
 */
export function project({ visits, functions, profiles, deployed }: ProjectionProps): Timed[] {
  const timed: Timed[] = [];
  const shares = new Map<string, number>();
  const emit = (calls: ReadonlyMap<string, number>, of: string, at: number, times = 1): void => {
    for (const [call, mean] of calls) {
      const key = `${of} ${call}`;
      // What is less than one call is kept for the next invocation, so that the sum is right.
      const due = (shares.get(key) ?? 0) + mean * times;
      const whole = Math.floor(due + 1e-9);
      shares.set(key, due - whole);
      for (let count = 0; count < whole; count += 1) timed.push({ call, at });
    }
  };
  const inStates = new Set(functions.values());
  const elsewhere = [...profiles].filter(([name]) => !inStates.has(name));
  let index = 0;
  for (const own of visits.values()) {
    let at = index / startsPerSecond;
    index += 1;
    // What no state calls: the intake, the decision of a person, the function in a VPC, the janitor.
    for (const [name, { invocations, calls }] of elsewhere) emit(calls, name, at, invocations / visits.size);
    const waits = new DeployedWaits(deployed);
    for (const visit of own) {
      timed.push({ call: 'states:StateTransition', at });
      at += transitionSeconds;
      const name = functions.get(visit.state);
      if (name !== undefined) {
        timed.push({ call: 'lambda:Invoke', at });
        emit(profiles.get(name)?.calls ?? new Map(), name, at);
        at += functionSeconds;
      }
      at += waits.after(visit, name !== undefined);
    }
  }
  return timed;
}

/** How long one incident waits in a deployment where it waited less here. */
class DeployedWaits {
  readonly #deployed: ProjectionProps['deployed'];
  #polls = 0;
  #looks = 0;

  constructor(deployed: ProjectionProps['deployed']) {
    this.#deployed = deployed;
  }

  /** Seconds that this state waits, beside the function that it may invoke. */
  after({ state, type, enteredAt, exitedAt }: Visit, invokes: boolean): number {
    const { cluster, command } = this.#deployed;
    if (state.startsWith('Send')) this.#polls = 0;
    if (state === 'RecordTreatment') this.#looks = 0;
    const here = (exitedAt - enteredAt) / 1000;
    // Waits for a token as long as the people here took.
    if (type === 'Task') return invokes && state === 'RequestApproval' ? here : 0;
    if (type !== 'Wait') return 0;
    if (state === 'WaitForSample') {
      const { first, between } = looksIn(cluster.verification);
      this.#looks += 1;
      return this.#looks === 1 ? first : between;
    }
    if (/^WaitAt(Gate|Recheck)$/.test(state)) return Math.max(here, cluster.gates.budget.askAgainSeconds);
    this.#polls += 1;
    return Math.min(command.maxPollSeconds, command.pollSeconds * 2 ** (this.#polls - 1));
  }
}
