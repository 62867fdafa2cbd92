import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';

const Labels = z.record(z.string(), z.string());

export const Alert = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: Labels,
  annotations: z.strictObject({ summary: z.string(), runbook_url: z.string() }),
});
export type Alert = z.infer<typeof Alert>;

const Recording = z.strictObject({ record: z.string(), expr: z.string() });
const Group = z.strictObject({
  name: z.string(),
  interval: z.string(),
  rules: z.array(z.union([Alert, Recording])),
});

/** An alert test of promtool, as far as these tests look into it. */
export const AlertTest = z.object({
  eval_time: z.string(),
  alertname: z.string(),
  exp_alerts: z.array(z.object({ exp_labels: Labels })),
});
const RuleTests = z.object({
  rule_files: z.array(z.string()),
  tests: z.array(z.object({ name: z.string(), alert_rule_test: z.array(AlertTest) })),
});

/** The subjects: one file of rules each, and one of tests with the same name. */
export const subjects = globSync('prometheus/rules/*.yaml')
  .map((file) => basename(file, '.yaml'))
  .sort();

export function groupsOf(subject: string) {
  const file = readFileSync(`prometheus/rules/${subject}.yaml`, 'utf8');
  return z.strictObject({ groups: z.array(Group) }).parse(parse(file)).groups;
}

export function testsOf(subject: string) {
  return RuleTests.parse(parse(readFileSync(`prometheus/tests/${subject}.yaml`, 'utf8')));
}

export function alertsOf(subject: string): Alert[] {
  return groupsOf(subject).flatMap(({ rules }) => rules.filter((rule) => 'alert' in rule));
}

/** The comment above each alert, as one line: YAML parsers drop it. */
export function commentsOf(subject: string): { alert: string; comment: string }[] {
  const text = readFileSync(`prometheus/rules/${subject}.yaml`, 'utf8');
  return [...text.matchAll(/((?:^ +#.*\n)*)^ +- alert: (\w+)$/gm)].map(([, lines = '', alert = '']) => ({
    alert,
    comment: lines.replace(/^ +# ?/gm, '').replaceAll('\n', ' '),
  }));
}

const words = new Set(['and', 'or', 'unless', 'by', 'on', 'offset', 'group_left']);

/** The metrics that an expression reads: what is left of it without matchers, ranges, grouping labels, functions and words. */
export function metricsIn(expr: string): string[] {
  const names = expr
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replace(/\b(by|on|group_left)\s*\([^)]*\)/g, ' ')
    .matchAll(/(?<![\w.:])[a-z_][\w:]*(?!\s*\(|[\w:])/gi);
  return [...new Set([...names].map(([name]) => name))].filter((name) => !words.has(name));
}
