import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { account, region } from './intrinsics.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import type { ExecutionResult } from './run-state-machine.ts';
import type { TemplateRule } from './template.ts';

/** The event that Step Functions sends to EventBridge when an execution has ended. */
export function executionStatusChange(
  result: ExecutionResult,
  execution: { stateMachineArn: string; name: string; input: Json },
): JsonObject {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Step Functions Execution Status Change',
    source: 'aws.states',
    account,
    time: `${result.stoppedAt.toISOString().slice(0, 19)}Z`,
    region,
    resources: [result.executionArn],
    detail: {
      executionArn: result.executionArn,
      stateMachineArn: execution.stateMachineArn,
      name: execution.name,
      status: result.status,
      startDate: result.startedAt.getTime(),
      stopDate: result.stoppedAt.getTime(),
      input: JSON.stringify(execution.input),
      output: result.output === undefined ? null : JSON.stringify(result.output),
      inputDetails: { included: true },
      outputDetails: result.output === undefined ? null : { included: true },
      error: result.error ?? null,
      cause: result.cause ?? null,
    },
  };
}

/** Raised for a pattern with a comparison that is unknown here, such as a prefix. */
export class UnsupportedPatternError extends Error {
  override readonly name = 'UnsupportedPatternError';
}

/** Whether an event matches a rule: every field of the pattern lists the values that the event may have, or how they may begin. */
export function matches(pattern: JsonObject, event: JsonObject): boolean {
  return Object.entries(pattern).every(([field, allowed]) => {
    const value = event[field];
    if (isJsonObject(allowed)) return isJsonObject(value) && matches(allowed, value);
    if (!Array.isArray(allowed) || !allowed.every(isKnown)) {
      throw new UnsupportedPatternError(
        `the pattern of "${field}" is ${JSON.stringify(allowed)}; only lists of values and prefixes are known here`,
      );
    }
    const values = Array.isArray(value) ? value : [value ?? null];
    return values.some((item) => allowed.some((one) => fits(one, item)));
  });
}

function isKnown(allowed: Json): boolean {
  if (!isJsonObject(allowed)) return !Array.isArray(allowed);
  return Object.keys(allowed).join() === 'prefix' && typeof allowed.prefix === 'string';
}

function fits(allowed: Json, value: Json): boolean {
  if (!isJsonObject(allowed)) return allowed === value;
  return typeof value === 'string' && value.startsWith(String(allowed.prefix));
}

export interface DeliverProps {
  readonly rules: readonly TemplateRule[];
  invoke(targetArn: string, event: Json): Promise<Json>;
  /** Waits before each retry of a failed target. Lambda waits one and then two minutes. */
  readonly retryWaitsMs?: readonly number[];
}

/** What became of one target: how often it was tried, and the error of the last try where all failed. */
export type Delivery = { rule: string; target: string; tries: number; error?: Error };

/** Gives an event to the targets of all rules that match it, with the two retries of an asynchronous invocation. */
export async function deliver(
  event: JsonObject,
  { rules, invoke, retryWaitsMs = [1000, 2000] }: DeliverProps,
): Promise<Delivery[]> {
  const matching = rules.filter(({ enabled, pattern }) => enabled && matches(pattern, event));
  const targets = matching.flatMap(({ name, targets }) => targets.map((target) => ({ rule: name, target })));
  return Promise.all(
    targets.map(async ({ rule, target }) => {
      for (let tries = 1; ; tries += 1) {
        try {
          await invoke(target, event);
          return { rule, target, tries };
        } catch (error) {
          const wait = retryWaitsMs[tries - 1];
          if (wait === undefined)
            return { rule, target, tries, error: error instanceof Error ? error : new Error(String(error)) };
          await sleep(wait);
        }
      }
    }),
  );
}
