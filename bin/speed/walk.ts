import { isJsonObject, type Json, type JsonObject } from '../../local/engine/json.ts';

/** What happens on the way. A task is a function, by its name without that of the stack. */
export type Steps = {
  entered(): void;
  /** Gives the incident as the function returns it. */
  call(name: string, incident: JsonObject): JsonObject;
  waited(seconds: number): void;
};

/** No incident has as many on the way to its first treatment. */
const mostStates = 500;

/**
 * Goes through a state machine from its start until a function has returned that is looked for, or a state that ends. Knows what the
 * incidents of this project are made of, and no more: tasks, waits by a path, choices by one comparison.
 *
 * @returns the function at which it ended; `undefined` where the machine ended first
 * @throws Error for a state that it does not know
 */
export function walk(
  { StartAt: first, States: states }: JsonObject,
  until: (called: string) => boolean,
  steps: Steps,
): string | undefined {
  if (typeof first !== 'string' || !isJsonObject(states)) throw new Error('the definition has no states');
  let name = first;
  let incident: JsonObject = {};
  for (let count = 0; count < mostStates; count += 1) {
    const state = states[name];
    if (!isJsonObject(state)) throw new Error(`the definition leads to "${name}", which does not exist`);
    steps.entered();
    let next = state.Next;
    if (state.Type === 'Task') {
      const called = functionOf(name, state);
      incident = { ...incident, ...steps.call(called, incident) };
      if (until(called)) return called;
    } else if (state.Type === 'Wait') {
      steps.waited(secondsOf(name, valueAt(incident, state.SecondsPath)));
    } else if (state.Type === 'Choice') {
      next = chosen(name, state, incident);
    } else if (state.Type === 'Succeed' || state.Type === 'Fail') {
      return undefined;
    } else {
      throw new Error(`state "${name}" is of the type ${state.Type}, which the model does not know`);
    }
    if (typeof next !== 'string') return undefined;
    name = next;
  }
  throw new Error(`no end after ${mostStates} states, the last of them "${name}"`);
}

function functionOf(name: string, state: JsonObject): string {
  const [, called] = /:function:CgroupMedic-([a-z-]+)$/.exec(String(state.Resource)) ?? [];
  if (called === undefined)
    throw new Error(`state "${name}" calls ${state.Resource}, which is no function of this stack`);
  return called;
}

function chosen(
  name: string,
  { Choices: choices, Default: otherwise }: JsonObject,
  incident: JsonObject,
): Json | undefined {
  const rules = (Array.isArray(choices) ? choices : []).filter((rule) => isJsonObject(rule));
  const rule = rules.find((one) => matches(name, one, incident));
  return rule === undefined ? otherwise : rule.Next;
}

function matches(name: string, rule: JsonObject, incident: JsonObject): boolean {
  const { And: all, Variable: path, StringEquals: value, BooleanEquals: truth, IsPresent: present } = rule;
  if (Array.isArray(all)) {
    return all.every((one) => isJsonObject(one) && matches(name, one, incident));
  }
  const found = valueAt(incident, path);
  if (typeof value === 'string') return found === value;
  if (typeof truth === 'boolean') return found === truth;
  if (typeof present === 'boolean') return (found !== undefined) === present;
  throw new Error(`choice "${name}" compares in a way that the model does not know`);
}

/** The value at a path such as `$.command.status`. */
function valueAt(incident: JsonObject, path: Json | undefined): Json | undefined {
  const [root, ...fields] = String(path).split('.');
  if (root !== '$') throw new Error(`${path} is no path that the model knows`);
  return fields.reduce<Json | undefined>(
    (value, field) => (isJsonObject(value) ? value[field] : undefined),
    incident,
  );
}

function secondsOf(name: string, value: Json | undefined): number {
  if (typeof value !== 'number') throw new Error(`wait "${name}" has no seconds`);
  return value;
}
