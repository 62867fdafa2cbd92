import * as z from 'zod';
import { Settings } from '../lambdas/domain/settings.ts';

/** Where the policy says never, a treatment is still on the ladder of a report, and no mode does it. */
export const examples = [
  {
    wish: 'Free dying cgroups without asking, and nothing else, whatever is found',
    cluster: {
      initialMode: 'auto',
      policy: { risk: { low: 'never', medium: 'never', high: 'never' }, treatments: { reclaim: 'auto' } },
    },
  },
  {
    wish: 'The same, and ask before anything else',
    cluster: {
      initialMode: 'auto',
      policy: { risk: { low: 'approve' }, treatments: { reclaim: 'auto' } },
    },
  },
  {
    wish: 'Let reclaim touch the pods of a cluster whose nodes are all on cgroup v2, where it shields what lives',
    cluster: { reclaim: { slices: ['/user.slice', '/system.slice', '/runtime.slice', '/kubepods.slice'] } },
  },
] as const;

/** The text of docs/settings.md. */
export function settingsPage(): string {
  return `# Settings

They stand in \`cdk.json\`, in the context under \`cgroup-medic\`. A wrong key or value fails the synthesis, with the key, the value and the
remedy. The smallest settings are \`{ "clusters": { "my-cluster": {} } }\`. This page is made by \`npm run docs\` from the schema.

## Examples

${examples.map(({ wish, cluster }) => `${wish}:\n\n    ${JSON.stringify({ clusters: { 'my-cluster': cluster } })}`).join('\n\n')}

## All settings

${settingsTable()}
`;
}

type JsonSchema = {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  format?: string;
  items?: JsonSchema;
  pattern?: string;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
};

/** Every setting with its default, its range and its reason, as a Markdown table made from the schema itself. */
function settingsTable(): string {
  const rows = rowsOf(z.toJSONSchema(Settings, { io: 'input', reused: 'inline' }) as JsonSchema, '');
  return ['| setting | default | may be | why |', '|---|---|---|---|', ...rows].join('\n');
}

function rowsOf(schema: JsonSchema, path: string): string[] {
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`);
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([name, child]) => rowsOf(child, below(name)));
  }
  if (typeof schema.additionalProperties === 'object')
    return rowsOf(schema.additionalProperties, below(path === 'people' ? 'NAME' : 'CLUSTER'));
  const fallback = schema.default === undefined ? '–' : `\`${JSON.stringify(schema.default)}\``;
  const own = `| \`${path}\` | ${fallback} | ${rangeOf(schema)} | ${schema.description ?? ''} |`;
  return [own, ...(schema.items?.properties === undefined ? [] : rowsOf(schema.items, `${path}[]`))];
}

function rangeOf({ type, enum: values, minimum, maximum, items }: JsonSchema): string {
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(' ');
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (type === 'boolean') return '`true` `false`';
  if (type !== 'array') return type ?? '';
  if (items?.properties !== undefined) return 'a list of the following';
  if (items?.enum !== undefined) return `a list of ${items.enum.map((value) => `\`${value}\``).join(' ')}`;
  if (items?.format === 'email') return 'a list of addresses';
  return items?.pattern?.startsWith('^(\\/') ? 'a list of cgroup paths' : 'a list of ids';
}
