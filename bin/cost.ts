import { parseArgs } from 'node:util';
import { readSettings, SettingsError, settingsKey } from '../cdk/settings.ts';
import cdkJson from '../cdk.json' with { type: 'json' };
import { type Estimate, estimate, usageOf } from './cost/estimate.ts';

const usage = `usage: npm run cost -- --nodes N --incidents M [--json]
What this deployment costs a month, in US dollars: N nodes in all clusters of the settings in cdk.json, M incidents a month.`;

/** A whole number of the command line. */
function whole(name: string, text: string | undefined): number {
  if (text === undefined) throw new Error(`--${name} is missing`);
  if (!/^\d{1,7}$/.test(text)) throw new Error(`--${name} ${text} is no whole number up to 9,999,999`);
  return Number(text);
}

function money(usd: number): string {
  return usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

function text(
  { nodes, incidents }: { nodes: number; incidents: number },
  { byService, lines, usdPerMonth }: Estimate,
): string {
  const services = Object.entries(byService).sort(([, a], [, b]) => b - a);
  return [
    `${nodes} nodes, ${incidents} incidents a month: about $${money(usdPerMonth)} a month (us-east-1, without what is free)`,
    '',
    ...services.flatMap(([service, usd]) => [
      `${service.padEnd(24)}${money(usd).padStart(10)}`,
      ...lines
        .filter((line) => line.service === service)
        .map(
          ({ what, units, usd: part }) =>
            `  ${money(part).padStart(8)}  ${units.toLocaleString('en-US', { maximumFractionDigits: 2 })} ${what}`,
        ),
    ]),
    '',
    'Prices:',
    ...[...new Set(lines.map(({ service, asOf, source }) => `  ${service}, ${asOf}: ${source}`))],
    'What an incident and a look of the census use stands, with how it was counted, in bin/cost/estimate.ts.',
    '',
  ].join('\n');
}

try {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string' },
      incidents: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
  } else {
    const fleet = { nodes: whole('nodes', values.nodes), incidents: whole('incidents', values.incidents) };
    const result = estimate(usageOf(readSettings(cdkJson.context[settingsKey]), fleet));
    process.stdout.write(values.json ? `${JSON.stringify({ ...fleet, ...result })}\n` : text(fleet, result));
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (!(error instanceof SettingsError)) process.stderr.write(`${usage}\n`);
  process.exitCode = error instanceof SettingsError ? 1 : 2;
}
