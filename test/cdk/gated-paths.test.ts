import { beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../local/engine/json.ts';
import { reachableFrom, statesOf } from './state-graph.ts';
import { definitionOf, synthesize } from './template.ts';

let definition: JsonObject;
beforeAll(() => {
  definition = definitionOf(synthesize());
});

/** Where it is decided what becomes of what the gates say: before anybody is asked, and once they have agreed. */
const gates = ['GateOpen?', 'StillTrue?'];

/** The machine in which no gate ever lets anything pass, but for those that are named. */
function shut(but: readonly string[] = []): JsonObject {
  const passes = (choice: Json): boolean => JSON.stringify(choice).includes('"StringEquals":"pass"');
  const states = [...statesOf(definition)].map(([name, state]): [string, JsonObject] => {
    if (!gates.includes(name) || but.includes(name) || !Array.isArray(state.Choices)) return [name, state];
    return [name, { ...state, Choices: state.Choices.filter((choice) => !passes(choice)) }];
  });
  return { ...definition, States: Object.fromEntries(states) };
}

/** What is reached from the start of a machine and has to do with treating the node. */
function treating(machine: JsonObject): string[] {
  const treatment = reachableFrom(definition, 'TreatmentKind?');
  const untreated = reachableFrom(shut(), String(machine.StartAt));
  return [...reachableFrom(machine, String(machine.StartAt))].filter(
    (name) => treatment.has(name) && !untreated.has(name),
  );
}

describe('a path through the state machine', () => {
  it('reaches a treatment through a gate that lets it pass, and in no other way', () => {
    const reached = reachableFrom(shut(), String(definition.StartAt));
    for (const state of ['TreatmentKind?', 'SendTreatment', 'RecordTreatment', 'SendVerify'])
      expect(reached.has(state), state).toBe(false);
    // Whoever is refused is told so all the same.
    expect(reached.has('Close')).toBe(true);
  });

  it.each(gates)('reaches every treatment through %s alone', (gate) => {
    expect(treating(shut([gate])).sort()).toEqual(treating(definition).sort());
    expect(treating(definition)).toContain('TreatmentKind?');
  });
});
