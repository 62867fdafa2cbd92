import { createHash } from 'node:crypto';
import { type Card, cohortText, undoWord } from '../../lambdas/domain/approval/card.ts';
import { printable } from '../../lambdas/domain/printable.ts';
import { Html, html, join } from '../html.ts';
import { type Question, settledSentence } from '../question.ts';
import { script } from './script.ts';
import { styles } from './styles.ts';

/** Only this style and this script, and nothing from anywhere else. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src '${hashOf(styles)}'`,
  `script-src '${hashOf(script)}'`,
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

export type Shown = {
  /** Why the last decision from this page was not taken. */
  refusal?: string;
  /** What had been typed with it. */
  reason?: string;
  /** What was recorded without deciding: others of the quorum are needed. */
  note?: string;
};

/** What is said of a question that is over; nothing while it is open. */
export function endOf({ settled, signal }: Question): string | undefined {
  if (settled !== undefined) return clean(settledSentence(settled));
  return signal.aborted ? 'The run has ended: nothing can be decided here any more.' : undefined;
}

export function pageHtml(question: Question, shown: Shown = {}): string {
  const { card } = question.request;
  const end = endOf(question);
  const title = clean(card.title);
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${end ?? title}</title>
<style>${Html.trusted(styles)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p id="status" role="status" tabindex="-1">${end ?? shown.note ?? ''}</p>
${shown.refusal === undefined ? '' : html`<p id="refusal" role="alert">${clean(shown.refusal)}</p>`}
${asked(card)}
${cohort(card)}
${tried(card)}
${history(card)}
${evidence(card)}
${end === undefined ? decision(shown) : ''}
</main>
${end === undefined ? html`<script>${Html.trusted(script)}</script>` : ''}
</body>
</html>
`);
}

function asked(card: Card): Html {
  const known = (name: string, value: string | undefined): [string, string][] =>
    value === undefined ? [] : [[name, value]];
  const facts: [string, string][] = [
    ['treatment', card.treatment],
    ['risk', card.risk],
    ['why', card.reason],
    ...Object.entries(card.arguments),
    ...known('asked because', card.asks),
    ...known('budget', card.budget),
    ['expected', card.expects],
    ['undo', card.undo === null ? 'It cannot be undone.' : `${undoWord(card)}${card.undo}`],
    ['node', `${card.instanceId} of ${card.cluster}`],
    ['asked for by', card.requestedBy ?? 'an alarm'],
    ...known('needs', card.quorum > 1 ? `${card.quorum} different people` : undefined),
    ...known('may decide', card.approvers.length > 0 ? card.approvers.join(', ') : undefined),
    ['expires', card.expiresAt],
    ['incident', card.incident],
    ['approval', card.approvalId],
  ];
  return html`<section aria-labelledby="asked"><h2 id="asked">What is asked</h2>
<dl>${join(facts.map(([name, value]) => html`<dt>${clean(name)}</dt><dd>${clean(value)}</dd>`))}</dl>
<div class="lines">${lines(card.why.slice(0, 2))}</div></section>`;
}

function cohort(card: Card): Html {
  if (card.cohort === undefined) return join([]);
  return html`<section aria-labelledby="cohort"><h2 id="cohort">All nodes that this decides on</h2>
<div class="lines">${lines(cohortText(card))}</div></section>`;
}

/** In sight: whoever is asked about a second treatment has to know how the first one ended. */
function tried(card: Card): Html {
  if (card.tried.length === 0) return join([]);
  const known = [...card.tried, 'What follows is of the node as it was before that.'];
  return html`<section aria-labelledby="tried"><h2 id="tried">Tried before in this incident</h2>
<div class="lines">${lines(known)}</div></section>`;
}

function history(card: Card): Html {
  if (card.history === undefined) return join([]);
  return html`<section aria-labelledby="history"><h2 id="history">This node and its image before</h2>
<div class="lines">${lines(card.history)}</div></section>`;
}

function evidence({ why }: Card): Html {
  return html`<section aria-labelledby="evidence"><h2 id="evidence">Evidence</h2>
<details><summary>Show evidence</summary>
<div class="lines">${lines(why)}</div>
</details></section>`;
}

function decision({ reason = '' }: Shown): Html {
  return html`<section id="decision" aria-labelledby="decide"><h2 id="decide">Decision</h2>
<p>It is final, and goes into the audit with your name.</p>
<form method="post" action="decide"><button class="approve" name="decision" value="approve">Approve</button></form>
<form method="post" action="decide"><label for="reason">Reason for a denial (required)</label>
<textarea id="reason" name="reason" required maxlength="1000">${reason}</textarea>
<button class="deny" name="decision" value="deny">Deny</button></form></section>`;
}

function lines(all: readonly string[]): Html {
  return join(all.map((line) => html`<p>${clean(line)}</p>`));
}

/** Text from the node. What would turn the direction of the text around could make it read otherwise than it is. */
function clean(text: string): string {
  return printable(text).replace(/[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '·');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
