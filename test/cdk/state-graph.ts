import { isJsonObject, type Json, type JsonObject } from '../../local/engine/json.ts';

/** The states of a definition, by name. */
export function statesOf(definition: JsonObject): ReadonlyMap<string, JsonObject> {
  if (!isJsonObject(definition.States)) throw new Error('the definition has no states');
  return new Map(
    Object.entries(definition.States).map(([name, state]) => {
      if (!isJsonObject(state)) throw new Error(`state ${name} is not an object`);
      return [name, state];
    }),
  );
}

/** Names of the states of one type. */
export function statesOfType(definition: JsonObject, type: string): string[] {
  return [...statesOf(definition)].filter(([, state]) => state.Type === type).map(([name]) => name);
}

/** Where a state can lead, in the order of the definition: Choices, Default, Next, Catch. */
export function nextStatesOf(state: JsonObject): string[] {
  const targets = [...objects(state.Choices), state, ...objects(state.Catch)].flatMap(({ Next, Default }) => [
    Default,
    Next,
  ]);
  return [...new Set(targets.filter((target) => typeof target === 'string'))];
}

/** Every transition of a definition, as `FROM → TO`. */
export function transitionsOf(definition: JsonObject): string[] {
  return [...statesOf(definition)].flatMap(([name, state]) =>
    nextStatesOf(state).map((next) => `${name} → ${next}`),
  );
}

/** All states that can be reached from one. */
export function reachableFrom(definition: JsonObject, start: string): ReadonlySet<string> {
  const states = statesOf(definition);
  const reached = new Set([start]);
  for (const name of reached) {
    const state = states.get(name);
    if (state === undefined) throw new Error(`the definition leads to "${name}", which does not exist`);
    for (const next of nextStatesOf(state)) reached.add(next);
  }
  return reached;
}

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => isJsonObject(item)) : [];
}
