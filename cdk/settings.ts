import * as z from 'zod';
import { Settings } from '../lambdas/domain/settings.ts';

/** Where the settings live: this key of `context` in cdk.json. */
export const settingsKey = 'cgroup-medic';

/** Everything that is wrong with the settings, one line each: key, value, remedy. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `the settings under "${settingsKey}" in the context of cdk.json are not right:\n` +
        problems.map((problem) => `  - ${problem}`).join('\n'),
    );
    this.problems = problems;
  }
}

/** The settings from the context of the app, with all defaults filled in. */
export function readSettings(context: unknown): Settings {
  if (context === undefined) {
    throw new SettingsError([
      `${settingsKey} is missing: add it to the context, for example "${settingsKey}": { "clusters": { "my-cluster": {} } }`,
    ]);
  }
  const result = Settings.safeParse(context);
  if (result.success) return result.data;
  throw new SettingsError(result.error.issues.flatMap((issue) => describe(issue, context)));
}

type Issue = z.core.$ZodIssue;

function describe(issue: Issue, context: unknown): string[] {
  if (issue.code === 'unrecognized_keys') {
    const parent = valueAt(context, issue.path);
    const known = knownKeys(issue.path);
    return issue.keys.map(
      (key) =>
        `${named([...issue.path, key])} = ${shown(valueAt(parent, [key]))}: there is no such setting; ` +
        `remove it, or use one of: ${known.join(', ')}`,
    );
  }
  const value = valueAt(context, issue.path);
  if (value === undefined) return [`${named(issue.path)} is missing: add it; it ${requirement(issue)}`];
  return [`${named(issue.path)} = ${shown(value)}: change it; it ${requirement(issue)}`];
}

function requirement(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'too_small':
      return `must be at least ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${unit(issue.origin)}`;
    case 'invalid_type':
      return `must be ${typeNames[issue.expected] ?? issue.expected}`;
    case 'invalid_key':
      return issue.issues.map(({ message }) => message).join(' and ');
    default:
      return issue.message;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list, as in [ "…" ]',
  object: 'an object, as in { … }',
  record: 'an object, as in { … }',
};

function unit(origin: string): string {
  if (origin === 'array') return ' entries long';
  if (origin === 'string') return ' characters long';
  return '';
}

function named(path: readonly PropertyKey[]): string {
  return [settingsKey, ...path.map(String)].join('.');
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (parent, key) =>
      typeof parent === 'object' && parent !== null
        ? (parent as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

/** The keys that may stand at a path, read from the schema itself, so that the list cannot grow stale. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: z.core.JSONSchema.BaseSchema | undefined = z.toJSONSchema(Settings, {
    io: 'input',
    reused: 'inline',
  });
  for (const key of path) {
    const next: unknown = schema?.properties?.[String(key)] ?? schema?.additionalProperties;
    schema = typeof next === 'object' && next !== null ? (next as z.core.JSONSchema.BaseSchema) : undefined;
  }
  return Object.keys(schema?.properties ?? {});
}
