// Synthesizes the CDK app in a process of its own: `node synthesize.ts OUTDIR`, settings as JSON on standard input.
// Prints the name of the stack.
import { readFileSync } from 'node:fs';
import { buildApp } from '../../cdk/build-app.ts';
import { Settings } from '../../lambdas/domain/settings.ts';

const [outdir] = process.argv.slice(2);
if (outdir === undefined) throw new Error('a directory for the assembly is needed');
const settings = Settings.parse(JSON.parse(readFileSync(0, 'utf8')));
const { stacks } = buildApp({ settings, outdir, validated: false }).synth();
process.stdout.write(stacks[0]?.stackName ?? '');
