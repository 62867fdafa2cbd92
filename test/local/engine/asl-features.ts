import { isJsonObject, type Json, type JsonObject } from '../../../local/engine/json.ts';

/** What says nothing about behaviour, or is in every definition there is. */
const structure = ['Type', 'Comment', 'StartAt', 'States', 'Next', 'End'];

/** Every feature of the Amazon States Language that a definition uses, as `PLACE.FIELD` or `PLACE.FIELD=VALUE`. */
export function featuresOf(definition: JsonObject): ReadonlySet<string> {
  const features = new Set<string>();
  for (const [field, value] of Object.entries(definition)) {
    if (field === 'States') for (const state of objectsIn(value)) addState(features, state);
    else if (!structure.includes(field)) features.add(`Machine.${field}`);
  }
  return features;
}

function addState(features: Set<string>, state: JsonObject): void {
  const type = String(state.Type);
  features.add(type);
  for (const [field, value] of Object.entries(state)) {
    if (structure.includes(field)) continue;
    if (field === 'Resource') {
      features.add(`Task.Resource=${String(value).includes(':states:::') ? value : 'a function'}`);
    } else if (field === 'Choices') {
      for (const rule of objectsIn(value)) addFields(features, 'Choice', rule);
    } else if (field === 'Retry' || field === 'Catch') {
      for (const entry of objectsIn(value)) addFields(features, field, entry);
    } else if (field === 'Parameters') {
      addParameters(features, value);
    } else {
      features.add(`${type}.${field}${value === null ? '=null' : ''}`);
    }
  }
  if ('Parameters' in state && 'TimeoutSecondsPath' in state)
    features.add('Task.TimeoutSecondsPath past Parameters');
}

function addFields(features: Set<string>, place: string, entry: JsonObject): void {
  for (const [field, value] of Object.entries(entry)) {
    if (structure.includes(field)) continue;
    if (field === 'JitterStrategy') features.add(`${place}.${field}=${String(value)}`);
    else if (field === 'ErrorEquals') features.add(`${place}.${field}=${kindOfErrors(value)}`);
    else if (field === 'ResultPath') features.add(`${place}.${field}=${kindOfPath(String(value))}`);
    else {
      features.add(`${place}.${field}`);
      if (field === 'And') for (const rule of objectsIn(value)) addFields(features, place, rule);
    }
  }
}

function kindOfErrors(value: Json): string {
  const errors = Array.isArray(value) ? value.map(String) : [];
  return errors.includes('States.ALL') ? 'States.ALL' : errors.length > 1 ? 'several names' : 'one name';
}

function kindOfPath(path: string): string {
  return path.split('.').length > 2 ? 'a nested field' : 'a field';
}

function addParameters(features: Set<string>, value: Json): void {
  if (!isJsonObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    if (isJsonObject(item)) {
      features.add('Parameters: nested object');
      addParameters(features, item);
    } else if (!key.endsWith('.$')) {
      features.add('Parameters: constant');
    } else {
      const path = String(item);
      features.add(`Parameters: ${path === '$' || path.startsWith('$$') ? path : 'path'}`);
    }
  }
}

function objectsIn(value: Json): JsonObject[] {
  const items = Array.isArray(value) ? value : Object.values(isJsonObject(value) ? value : {});
  return items.filter((item) => isJsonObject(item));
}
