import type { Finding } from './causes/cause.ts';
import type { Diagnosis, Possible } from './diagnosis.ts';
import type { LeftOut, Rung } from './treatments/treatment.ts';

/** A diagnosis for a person who was woken by it, part by part, as plain text: one line each. */
export function explanationLines(
  diagnosis: Diagnosis,
  plan: readonly Rung[],
  leftOut: readonly LeftOut[] = [],
): string[] {
  const { cause, variant, confidence, explanation, findings, gaps, alsoPossible, shadow } = diagnosis;
  return [
    ...part(`What is wrong: ${nameOf({ cause, variant })}, confidence ${confidence}`, [explanation]),
    ...part('How we know:', findingLines(findings)),
    ...part(
      'What we do not know:',
      // A node that does not answer has every probe missing for one reason, which is said once.
      [...Map.groupBy(gaps, ({ reason }) => reason)].map(
        ([reason, alike]) => `${alike.map(({ probe }) => probe).join(', ')}: ${reason}`,
      ),
    ),
    ...part('Also possible:', alsoPossible.length === 0 ? [] : [possibleLine(diagnosis)]),
    ...part(
      'Rules that only watch say:',
      shadow.length === 0 ? [] : [`${confidences(shadow)}; nothing is done about that`],
    ),
    ...part('What we would do:', plan.length === 0 ? ['nothing'] : plan.map(rungLine)),
    ...leftOutLines(leftOut),
    ...part('If nothing is done:', diagnosis.untreated === '' ? [] : [diagnosis.untreated]),
    ...part(
      'So that it does not come back:',
      diagnosis.prevention.map(({ what, where, because }) => `${what} (${where}), for ${because}`),
    ),
  ];
}

/** Which treatments of the cause the ladder leaves out, and why. */
export function leftOutLines(leftOut: readonly LeftOut[]): string[] {
  return part(
    'Not on the ladder:',
    leftOut.map(({ treatment, reason }) => `${treatment}: ${reason}`),
  );
}

/** Nothing at all where there is nothing to say. */
function part(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

/** Those of several causes by cause: what speaks against one can speak for another. */
function findingLines(findings: Diagnosis['findings']): string[] {
  return [...Map.groupBy(findings, ({ of }) => of)].flatMap(([of, alike]) =>
    of === undefined ? alike.map(findingLine) : [`${of}:`, ...alike.map((one) => `  ${findingLine(one)}`)],
  );
}

function findingLine({ fact, value, threshold, speaks, source }: Diagnosis['findings'][number]): string {
  const limit = threshold === undefined ? '' : ` (threshold ${threshold})`;
  return `${speaks}: ${fact} ${value}${limit} [${source}]`;
}

function rungLine({ treatment, risk, needs, reason, expects }: Rung): string {
  return `${treatment} (risk ${risk}, by policy ${needs}): ${reason}. Expected: ${expects.text}`;
}

/** A finding in a line of prose, with the limit that it is compared with. */
export function figureWithLimit({ fact, value, threshold }: Finding): string {
  return threshold === undefined ? `${fact} ${value}` : `${fact} ${value} (limit ${threshold})`;
}

export function nameOf({ cause, variant }: { cause: string; variant?: string | undefined }): string {
  return variant === undefined ? cause : `${cause}, ${variant}`;
}

/** What else may be, and why it is not the diagnosis where it is surer. */
export function possibleLine({ confidence, alsoPossible, cause }: Diagnosis): string {
  const surer = cause !== 'inconclusive' && alsoPossible.some((one) => one.confidence > confidence);
  const why = surer ? `; ${cause} comes first, because it would produce what is surer` : '';
  return `${confidences(alsoPossible)}${why}`;
}

/** Causes with their confidence, in a line. */
export function confidences(found: readonly Possible[]): string {
  return found.map((one) => `${nameOf(one)} (confidence ${one.confidence})`).join(', ');
}
