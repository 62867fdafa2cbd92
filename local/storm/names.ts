import * as z from 'zod';
import type { Engine } from '../engine/engine.ts';
import { isJsonObject } from '../engine/json.ts';

/** The documents of the stack by the names that its functions know them by. */
export function shortNames({ functions, documents }: Engine['stack']): { name: string; content: unknown }[] {
  const references: unknown = JSON.parse(functions[0]?.environment.DOCUMENTS ?? '{}');
  return Object.entries(z.record(z.string(), z.object({ name: z.string() })).parse(references)).flatMap(
    ([name, reference]) => {
      const document = documents.find((one) => one.name === reference.name);
      return document === undefined ? [] : [{ name, content: document.content }];
    },
  );
}

/** The name of the function that each state invokes. */
export function functionsOf(engine: Engine): Map<string, string> {
  const states = engine.stateMachine.definition.States;
  const entries = Object.entries(isJsonObject(states) ? states : {}).flatMap(([name, state]) => {
    if (!isJsonObject(state) || state.Type !== 'Task') return [];
    const parameters = isJsonObject(state.Parameters) ? state.Parameters : {};
    const arn = String(parameters.FunctionName ?? state.Resource);
    const called = engine.stack.functions.find((one) => one.arn === arn || one.name === arn);
    return called === undefined ? [] : [[name, called.name] as const];
  });
  return new Map(entries);
}
