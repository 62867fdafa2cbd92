import type { DocumentContent } from '../../ssm-documents/load.ts';

/** The service's own refusal of a command: a parameter that the document does not allow. */
export class InvalidParametersError extends Error {
  override readonly name = 'InvalidParameters';
  readonly parameter: string;

  constructor(parameter: string, problem: string) {
    super(`parameter "${parameter}" ${problem}`);
    this.parameter = parameter;
  }
}

/** The part of a document that says which values it takes; also fits documents that this project did not write. */
export type ParameterRules = {
  parameters?: Record<
    string,
    Pick<DocumentContent['parameters'][string], 'default' | 'allowedValues' | 'allowedPattern'> & {
      maxChars?: number | undefined;
      interpolationType?: string | undefined;
    }
  >;
};

/** What SendCommand checks before a command exists. Returns the values with the defaults filled in. */
export function checkParameters(
  content: ParameterRules,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const rules = content.parameters ?? {};
  const names = Object.keys(rules);
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(rules, name)) {
      const known = names.length > 0 ? `it takes ${names.join(', ')}` : 'it takes none';
      throw new InvalidParametersError(name, `is not one of the document's: ${known}`);
    }
  }
  return Object.fromEntries(
    Object.entries(rules).map(([name, rule]) => {
      const value = Object.hasOwn(given, name) ? given[name] : rule.default;
      if (value === undefined) throw new InvalidParametersError(name, 'is required');
      checkValue(name, value, rule);
      return [name, value];
    }),
  );
}

function checkValue(
  name: string,
  value: string,
  rule: NonNullable<ParameterRules['parameters']>[string],
): void {
  if (rule.allowedValues && !rule.allowedValues.includes(value)) {
    throw new InvalidParametersError(name, `is ${shown(value)}: use one of ${rule.allowedValues.join(', ')}`);
  }
  // The service matches the whole value; "$" alone would let a newline at the end through in some engines.
  if (rule.allowedPattern !== undefined && !new RegExp(`^(?:${rule.allowedPattern})$`, 'u').test(value)) {
    throw new InvalidParametersError(name, `is ${shown(value)}: it must match ${rule.allowedPattern}`);
  }
  if (rule.maxChars !== undefined && value.length > rule.maxChars) {
    throw new InvalidParametersError(name, `has ${value.length} characters: at most ${rule.maxChars}`);
  }
  if (value.includes('\0')) throw new InvalidParametersError(name, 'contains a NUL character');
}

function shown(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
