import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureTemplate } from '../cdk/template-limits.ts';

// Everything else is for the CDK CLI, for example --context KEY=VALUE.
const { values } = parseArgs({
  options: { output: { type: 'string', short: 'o', default: 'cdk.out' } },
  strict: false,
});
const root = resolve(import.meta.dirname, '..');
const template = join(resolve(root, String(values.output)), 'CgroupMedic.template.json');
const here = (path: string): string => relative(process.cwd(), path);

// No account and no network: nothing here is looked up, and the CLI's own calls home are off.
const { status, error, stderr } = spawnSync(
  process.execPath,
  [
    createRequire(import.meta.url).resolve('aws-cdk/bin/cdk'),
    ...['synth', '--quiet', '--no-lookups', '--no-notices', '--no-version-reporting'],
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true', AWS_EC2_METADATA_DISABLED: 'true' },
    stdio: ['inherit', 'inherit', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  },
);
if (error !== undefined) throw error;
// The CLI also counts the feature flags of services that are not used here.
process.stderr.write(stderr.replace(/^.*\d+ feature flags are not configured\..*\n/m, ''));
if (status === 0) {
  const { bytes, resources } = measureTemplate(readFileSync(template, 'utf8'));
  process.stdout.write(
    `Template: ${here(template)}, ${resources} resources, ${Math.ceil(bytes / 1000)} KB (CloudFormation takes 500 and 1,048)\n` +
      'Security: all AwsSolutions rules of cdk-nag pass. What is acknowledged, and why, stands in cdk/constructs/.\n',
  );
} else {
  const stale = existsSync(template)
    ? `${here(template)} is of an earlier run and does not know of this. `
    : '';
  process.stderr.write(`${stale}Mend what is listed above, then run "npm run synth" again.\n`);
}
process.exitCode = status ?? 1;
