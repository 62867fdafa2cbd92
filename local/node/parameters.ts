import type { DocumentContent } from '../../ssm-documents/load.ts';

/** The service's own refusal of a command: parameters that the document does not allow, all of them. */
export class InvalidParametersError extends Error {
  override readonly name = 'InvalidParameters';
  /** The first that is wrong, and all that are missing. */
  readonly parameter: string;
  readonly missing: readonly string[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ parameter, problem }) => `parameter "${parameter}" ${problem}`).join('\n'));
    this.parameter = problems[0]?.parameter ?? '';
    this.missing = problems.flatMap(({ parameter, problem }) => (problem === required ? [parameter] : []));
  }
}

type Problem = { parameter: string; problem: string };
const required = 'is required';

/** The part of a document that says which values it takes; also fits documents that this project did not write. */
export type ParameterRules = {
  parameters?: Record<
    string,
    Pick<DocumentContent['parameters'][string], 'default' | 'allowedValues' | 'allowedPattern'> & {
      description?: string | undefined;
      maxChars?: number | undefined;
      interpolationType?: string | undefined;
    }
  >;
};

/**
 * What SendCommand checks before a command exists. Returns the values with the defaults filled in.
 *
 * @throws InvalidParametersError with everything that is wrong
 */
export function checkParameters(
  content: ParameterRules,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const rules = content.parameters ?? {};
  const names = Object.keys(rules);
  const known = names.length > 0 ? `it takes ${names.join(', ')}` : 'it takes none';
  const problems: Problem[] = Object.keys(given)
    .filter((name) => !Object.hasOwn(rules, name))
    .map((parameter) => ({ parameter, problem: `is not one of the document's: ${known}` }));
  const values: Record<string, string> = {};
  for (const [parameter, rule] of Object.entries(rules)) {
    const value = Object.hasOwn(given, parameter) ? given[parameter] : rule.default;
    const problem = value === undefined ? required : problemOf(value, rule);
    if (problem !== undefined) problems.push({ parameter, problem });
    else if (value !== undefined) values[parameter] = value;
  }
  if (problems.length > 0) throw new InvalidParametersError(problems);
  return values;
}

function problemOf(
  value: string,
  rule: NonNullable<ParameterRules['parameters']>[string],
): string | undefined {
  const meant = rule.description === undefined ? '' : ` It is: ${rule.description}`;
  if (rule.allowedValues && !rule.allowedValues.includes(value)) {
    return `is ${shown(value)}: use one of ${rule.allowedValues.join(', ')}.${meant}`;
  }
  // The service matches the whole value; "$" alone would let a newline at the end through in some engines.
  if (rule.allowedPattern !== undefined && !new RegExp(`^(?:${rule.allowedPattern})$`, 'u').test(value)) {
    // What it is says more to a person than the pattern.
    return meant === ''
      ? `is ${shown(value)}: it must match ${rule.allowedPattern}`
      : `is ${shown(value)}, which does not fit.${meant} It must match ${rule.allowedPattern}`;
  }
  if (rule.maxChars !== undefined && value.length > rule.maxChars) {
    return `has ${value.length} characters: at most ${rule.maxChars}`;
  }
  return value.includes('\0') ? 'contains a NUL character' : undefined;
}

function shown(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
