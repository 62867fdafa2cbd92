import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CollectionTag, parseDocument } from 'yaml';
import * as z from 'zod';
import { digestOf } from '../lambdas/domain/canonical-json.ts';

const folder = import.meta.dirname;

const Parameter = z.strictObject({
  type: z.literal('String'),
  description: z.string(),
  /** Text pasted into a script is shell injection; an environment variable is only ever a value. */
  interpolationType: z.literal('ENV_VAR'),
  default: z.string().optional(),
  allowedValues: z.array(z.string()).optional(),
  allowedPattern: z.string().optional(),
});

const Step = z.strictObject({
  action: z.literal('aws:runShellScript'),
  name: z.string(),
  precondition: z.strictObject({ StringEquals: z.tuple([z.literal('platformType'), z.literal('Linux')]) }),
  onFailure: z.literal('exit').optional(),
  inputs: z.strictObject({
    timeoutSeconds: z.string().regex(/^\d+$/),
    runCommand: z.array(z.string()).min(1),
  }),
});

/** The only shape of SSM document this project ships: a Command document whose parameters never touch the script's text. */
export const DocumentContent = z.strictObject({
  schemaVersion: z.literal('2.2'),
  description: z.string(),
  parameters: z.record(z.string(), Parameter),
  mainSteps: z.array(Step).min(1),
});
export type DocumentContent = z.infer<typeof DocumentContent>;

export type LoadedDocument = { name: string; content: DocumentContent; contentDigest: string };

/** Every SSM document of the project: one YAML file each in this folder. */
export const documentNames: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length))
  .sort();

/** Reads one document, its scripts joined in. `contentDigest` is the SHA-256 of its canonical JSON. */
export function loadDocument(name: string): LoadedDocument {
  if (!documentNames.includes(name)) {
    throw new Error(`unknown document "${name}": use one of ${documentNames.join(', ')}`);
  }
  const file = join(folder, `${name}.yaml`);
  const content = parseContent(readFileSync(file, 'utf8'), file);
  return { name, content, contentDigest: digestOf(content) };
}

/** Reads the YAML text of a document; `file` is named in errors. */
export function parseContent(text: string, file: string): DocumentContent {
  const yaml = parseDocument(text, { customTags: [scriptTag] });
  const problem = yaml.errors[0] ?? yaml.warnings[0];
  if (problem) throw new Error(`${file}: ${problem.message}`);
  const content: unknown = yaml.toJS();
  refuseNumbersAndBooleans(content, '', file);
  const parsed = DocumentContent.safeParse(content);
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** CloudFormation turns them into strings on the way, and then the document in the account has another digest than ours. */
function refuseNumbersAndBooleans(value: unknown, path: string, file: string): void {
  if (typeof value === 'number' || typeof value === 'boolean') {
    throw new Error(
      `${file}: ${path} is the ${typeof value} ${value}, which CloudFormation would change: write it as a string, "${value}"`,
    );
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    const step = Array.isArray(value) ? `[${key}]` : `${path === '' ? '' : '.'}${key}`;
    refuseNumbersAndBooleans(item, `${path}${step}`, file);
  }
}

/** `!script [lib/a.sh, b.sh]`: the lines of these files, joined into one script. */
const scriptTag: CollectionTag = {
  tag: '!script',
  collection: 'seq',
  resolve: (items) => joinScripts(z.array(z.string()).min(1).parse(items.toJSON())),
};

/**
 * One script of all parts, without comments and with half of the indentation: a document has little room, and whoever reads it is
 * told where they are.
 */
function joinScripts(files: string[]): string[] {
  const code = files.flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    if (text.includes('{{')) {
      throw new Error(
        `${file} contains "{{": the SSM agent would take it for a parameter; write it differently`,
      );
    }
    return text
      .split('\n')
      .filter((line) => !/^\s*(#|$)/.test(line))
      .map((line) => line.replace(/^ +/, (blanks) => blanks.slice(Math.ceil(blanks.length / 2))));
  });
  return ['#!/usr/bin/env bash', `# cgroup-medic. With comments: ssm-documents/${files.at(-1)}`, ...code];
}
