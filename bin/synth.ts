import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const output = join(root, 'cdk.out');
const cli = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');

// No account and no network: nothing here is looked up, and the CLI's own calls home are off.
const { status, error } = spawnSync(
  process.execPath,
  [
    cli,
    'synth',
    '--quiet',
    '--no-lookups',
    '--no-notices',
    '--no-version-reporting',
    '--output',
    output,
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true', AWS_EC2_METADATA_DISABLED: 'true' },
  },
);
if (error !== undefined) throw error;
if (status === 0) {
  process.stdout.write(
    `Template: ${relative(process.cwd(), join(output, 'CgroupMedic.template.json'))}\n` +
      'Security: all AwsSolutions rules of cdk-nag pass; acknowledged findings and their reasons stand in cdk/constructs/.\n',
  );
} else {
  process.stderr.write('No template was made: mend what is listed above, then run "npm run synth" again.\n');
}
process.exitCode = status ?? 1;
