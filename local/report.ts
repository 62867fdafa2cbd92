import { AuditEntry } from '../lambdas/domain/audit/entry.ts';
import { confidences, nameOf } from '../lambdas/domain/explanation.ts';
import type { IncidentRecord } from '../lambdas/domain/incident-record.ts';
import type { RungResult } from '../lambdas/domain/incident-state.ts';
import { lookAgainSentence } from '../lambdas/domain/look-again.ts';
import { Html, html, join } from './html.ts';
import { styles } from './report-styles.ts';

type Diagnosis = NonNullable<IncidentRecord['diagnosis']>;

/**
 * One incident as a page that needs nothing else: no scripts, no fonts, no network.
 *
 * @param auditLines the audit trail as it was delivered, one JSON line each
 * @param provenance where the numbers of a recorded node come from
 */
export function reportHtml(
  record: IncidentRecord,
  auditLines: readonly string[],
  provenance?: string,
): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${record.outcome}: incident ${record.id}</title>
<style>${Html.trusted(styles)}</style>
</head>
<body>
<main>
${record.recorded ? recordedBanner(record.node, provenance) : ''}
<h1><span class="outcome ${record.outcome}">${record.outcome}</span> ${record.node}</h1>
<p class="summary">${record.reason}</p>
${record.lookAgain === undefined ? '' : html`<p>${lookAgainSentence(record.lookAgain)}</p>`}
${numbers(record.rungs)}
${record.diagnosis === null ? html`<p>There is no diagnosis.</p>` : diagnosis(record.diagnosis)}
${ladder(record.plan)}
${rungs(record.rungs)}
${leftOut(record.leftOut)}
${timings(record.timings)}
${audit(auditLines)}
<footer><p>Incident ${record.id}. The audit trail is in <code>${record.audit}</code>; check it with <code>npm run audit -- verify ${record.audit}</code>.</p></footer>
</main>
</body>
</html>
`;
  return String(page);
}

function recordedBanner(node: string, provenance: string | undefined): Html {
  return html`<p class="banner"><strong>Recorded node.</strong> ${node} is a directory of files and a small model of a kernel. Nothing here happened on a real machine. ${provenance ?? ''}</p>`;
}

function numbers(rungs: readonly RungResult[]): Html {
  const figures = [
    ['dying memory cgroups', 'dying'],
    ['page cache, KiB', 'cachedKb'],
  ] as const;
  const rows = figures.flatMap(([name, key]) => {
    // Not every treatment counts everything.
    const results = rungs.flatMap(({ result }) => (typeof result?.before[key] === 'number' ? [result] : []));
    const [first, last] = [results[0], results.at(-1)];
    if (first === undefined || last === undefined) return [];
    return [
      html`<tr><th scope="row">${name}</th><td>${figure(first.before[key])}</td><td>${figure(last.after[key])}</td></tr>`,
    ];
  });
  if (rows.length === 0) return html``;
  return html`<table class="numbers"><caption>Counted on the node by the documents themselves: just before the first treatment, just after the last</caption>
<thead><tr><th></th><th>before</th><th>after</th></tr></thead>
<tbody>${join(rows)}</tbody></table>`;
}

function diagnosis(found: Diagnosis): Html {
  const { confidence, explanation, findings, gaps, alsoPossible, shadow, untreated, prevention } = found;
  return html`<section><h2>Diagnosis: ${nameOf(found)}</h2>
<p>Confidence ${confidence}. ${explanation}</p>
${untreated === '' ? '' : html`<p><strong>If nothing is done:</strong> ${untreated}</p>`}
${alsoPossible.length === 0 ? '' : html`<p>Also possible: ${confidences(alsoPossible)}.</p>`}
${shadow.length === 0 ? '' : html`<p>Rules that only watch say: ${confidences(shadow)}. Nothing is done about that.</p>`}
${findingsTable('How we know', findings)}
${gaps.length === 0 ? '' : html`<h3>Not known</h3><ul>${join([...Map.groupBy(gaps, ({ reason }) => reason)].map(([reason, alike]) => html`<li><strong>${alike.map(({ probe }) => probe).join(', ')}</strong>: ${reason}</li>`))}</ul>`}
${prevention.length === 0 ? '' : html`<h3>So that it does not come back</h3><ul>${join(prevention.map(({ what, where, because }) => html`<li>${what} (${where}), for ${because}</li>`))}</ul>`}
</section>`;
}

/** The ladder as it was planned; what became of each rung stands below it. */
function ladder(plan: IncidentRecord['plan']): Html {
  if (plan.length === 0) return html``;
  const rows = plan.map(
    ({ treatment, risk, needs, reason, expects }) =>
      html`<tr><th scope="row">${treatment}</th><td>${risk}</td><td>${needs}</td><td>${reason}</td><td>${expects.text}</td></tr>`,
  );
  return html`<section><h2>What we would do</h2><div class="wide"><table><thead><tr><th>treatment</th><th>risk</th><th>by policy</th><th>why</th><th>expected</th></tr></thead><tbody>${join(rows)}</tbody></table></div></section>`;
}

function findingsTable(caption: string, findings: Diagnosis['findings']): Html {
  if (findings.length === 0) return html``;
  const rows = findings.map(
    ({ fact, value, threshold, speaks, source }) =>
      html`<tr><th scope="row">${fact}</th><td>${figure(value)}</td><td>${figure(threshold)}</td><td>${speaks}</td><td>${source}</td></tr>`,
  );
  return html`<div class="wide"><table><caption>${caption}</caption><thead><tr><th>fact</th><th>value</th><th>threshold</th><th>speaks</th><th>source</th></tr></thead><tbody>${join(rows)}</tbody></table></div>`;
}

function rungs(results: readonly RungResult[]): Html {
  if (results.length === 0) return html`<section><h2>Treatments</h2><p>None was tried.</p></section>`;
  return html`<section><h2>Treatments</h2>${join(results.map(rung))}</section>`;
}

function leftOut(treatments: IncidentRecord['leftOut']): Html {
  if (treatments.length === 0) return html``;
  return html`<section><h2>Not on the ladder</h2><ul>${join(treatments.map(({ treatment, reason }) => html`<li><strong>${treatment}</strong>: ${reason}</li>`))}</ul></section>`;
}

function rung(tried: RungResult): Html {
  const { treatment, risk, status, reason, gate, approval, verification, undo, result } = tried;
  const facts: [string, string][] = [
    ['risk', risk],
    ['status', reason === undefined ? status : `${status}: ${reason}`],
    ...Object.entries(tried.arguments),
  ];
  if (gate !== undefined) facts.push(['gate', `${gate.gate}: ${gate.decision}. ${gate.reason}`]);
  if (approval !== undefined) {
    const by = approval.by === undefined ? '' : ` by ${approval.by}`;
    facts.push([
      'approval',
      `${approval.status}${by}${approval.reason === undefined ? '' : `: ${approval.reason}`}`,
    ]);
  }
  if (verification !== undefined) {
    const provisional =
      verification.provisional === true ? ', provisional: the window was too short to be sure' : '';
    facts.push([
      'verification',
      `${verification.verdict} ${looked(verification.samples.length)}${provisional}`,
    ]);
  }
  if (verification?.alsoFound !== undefined) {
    facts.push(['found on the way, and not treated', confidences(verification.alsoFound)]);
  }
  if (undo !== undefined) facts.push(['undo', `${undo.status}: ${undo.reason}`]);
  return html`<article><h3>${treatment}</h3>
<dl>${join(facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`))}</dl>
${verification === undefined ? '' : findingsTable('What verification compared', verification.findings)}
${result?.details === undefined ? '' : html`<details><summary>What the treatment reported</summary><pre>${JSON.stringify(result.details, null, 2)}</pre></details>`}
</article>`;
}

/** A node that was replaced is not looked at any more. */
function looked(looks: number): string {
  return looks === 0 ? 'by what its cluster says' : `after ${looks} looks`;
}

function timings({ total, byPhase }: IncidentRecord['timings']): Html {
  const rows = Object.entries(byPhase).map(
    ([phase, ms]) =>
      html`<tr><th scope="row">${phase}</th><td>${seconds(ms)}</td><td class="bar"><meter min="0" max="${String(total)}" value="${String(ms)}"></meter></td></tr>`,
  );
  return html`<section><h2>Timeline</h2><table><caption>${seconds(total)} from the command to the closed incident</caption><tbody>${join(rows)}</tbody></table></section>`;
}

function audit(lines: readonly string[]): Html {
  const rows = lines.map((line) => {
    const parsed = AuditEntry.safeParse(JSON.parse(line));
    if (!parsed.success) return html`<tr><td></td><td colspan="3">signed head: the trail is closed</td></tr>`;
    const { at, step, actor, what } = parsed.data;
    return html`<tr><td><time datetime="${at}">${at.slice(11, 19)}</time></td><td>${step}</td><td>${actor.kind} ${actor.id}</td><td>${what}</td></tr>`;
  });
  return html`<section><h2>Audit trail</h2><div class="wide"><table><thead><tr><th>time (UTC)</th><th>step</th><th>who or what</th><th>what happened</th></tr></thead><tbody>${join(rows)}</tbody></table></div></section>`;
}

function figure(value: unknown): string {
  if (typeof value === 'number') return value.toLocaleString('en');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : '–';
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
