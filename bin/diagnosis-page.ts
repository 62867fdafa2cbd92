import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import type { Cause } from '../lambdas/domain/causes/cause.ts';
import { causes } from '../lambdas/domain/causes/index.ts';
import type { Evidence } from '../lambdas/domain/evidence/evidence.ts';
import { Thresholds } from '../lambdas/domain/thresholds.ts';
import { treatments } from '../lambdas/domain/treatments/index.ts';
import { evidenceOf } from '../test/cases/evidence-of.ts';
import { incidentFolder, incidentsIn } from '../test/cases/incident.ts';
import { defaultCluster, measure } from '../test/cases/measure.ts';
import { measuredText } from '../test/cases/measured-text.ts';
import { reportOf, variants } from '../test/cases/variants.ts';

/** Enough to see what it is about; the diagnosis of a node names its own. */
const mostLines = 6;
const page = resolve(import.meta.dirname, '../docs/diagnosis.md');
const folder = resolve(import.meta.dirname, '../lambdas/domain/causes');

/** The text of docs/diagnosis.md: what is written by hand, with the parts between markers made anew. */
export function diagnosisPage(): string {
  const parts = { cases: measuredText(measure(incidentsIn(incidentFolder))), causes: causesText() };
  return Object.entries(parts).reduce(filled, readFileSync(page, 'utf8'));
}

function filled(text: string, [name, part]: [string, string]): string {
  const [start, end] = [`<!-- ${name}: made by npm run docs -->`, `<!-- end of ${name} -->`];
  const [before, rest] = text.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`${page} has no part between "${start}" and "${end}"`);
  }
  return `${before}${start}\n\n${part}\n\n${end}${after}`;
}

function causesText(): string {
  return causes.map(causeText).join('\n\n');
}

function causeText(cause: Cause): string {
  const { id, title, seen, excludedBy, variants = {}, explains = [], untreated } = cause;
  const named = Object.entries(variants).map(([variant, line]) => `- \`${variant}\`: ${line}`);
  const ladder = treatments.filter(({ treats }) => treats.includes(id)).map((rung) => `\`${rung.id}\``);
  return [
    `## ${id}`,
    title,
    `Seen: ${seen}`,
    `Excluded by: ${excludedBy}`,
    ...(named.length > 0 ? [`Variants:\n\n${named.join('\n')}`] : []),
    ...(explains.length > 0 ? [`Comes before its effects: ${explains.map(code).join(', ')}.`] : []),
    `Left alone: ${untreated}`,
    `Ladder: ${ladder.length > 0 ? [...new Set(ladder)].join(' → ') : 'none'}.`,
    ...preventionText(cause),
    ...thresholdsText(id),
  ].join('\n\n');
}

/** What it asks for in the incidents, and in their near variants; on another node its findings may ask for more. */
function preventionText(cause: Cause): string[] {
  const { thresholds } = defaultCluster();
  const list = samples().flatMap((evidence) => {
    const verdict = cause.judge(evidence, thresholds);
    return verdict.result === 'matches' ? cause.prevent(evidence, verdict.findings) : [];
  });
  const lines = [...new Set(list.map(({ what, where }) => `- ${what}. Where: ${where}.`))].slice(
    0,
    mostLines,
  );
  return lines.length === 0 ? [] : [`Prevention, as the incidents ask for it:\n\n${lines.join('\n')}`];
}

function samples(): Evidence[] {
  return [
    ...incidentsIn(incidentFolder).map((incident) => evidenceOf(incident).evidence),
    ...variants.map((variant) => evidenceOf(reportOf(variant)).evidence),
  ];
}

function code(text: string): string {
  return `\`${text}\``;
}

/** The thresholds that its rule compares with, by the names in its file and in what that takes from its neighbours. */
function thresholdsText(id: string): string[] {
  const text = sourceWithNeighbours(`${id}.ts`, new Set());
  const { properties = {} } = z.toJSONSchema(Thresholds, { io: 'input' }) as {
    properties?: Record<string, { default?: unknown; description?: string }>;
  };
  const rows = Object.entries(properties)
    .filter(([name]) =>
      new RegExp(`thresholds\\.${name}\\b|threshold: '${name}'|\\b${name}\\b[^}]*\\}: Thresholds`).test(text),
    )
    .map(([name, { default: value, description }]) => `| \`${name}\` | ${value} | ${description} |`);
  if (rows.length === 0) return [];
  return [['| threshold | default | source |', '|---|---|---|', ...rows].join('\n')];
}

/** What the rules share without judging anything. */
const shared = ['cause.ts', 'gather.ts', 'confidence.ts', 'index.ts'];

function sourceWithNeighbours(file: string, seen: Set<string>): string {
  if (seen.has(file) || shared.includes(file)) return '';
  seen.add(file);
  const text = readFileSync(resolve(folder, file), 'utf8');
  const neighbours = [...text.matchAll(/from '\.\/([\w-]+\.ts)'/g)].map(([, name = '']) => name);
  return [text, ...neighbours.map((name) => sourceWithNeighbours(name, seen))].join('\n');
}
