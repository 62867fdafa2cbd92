import { bundles } from './bundles.ts';
import { diagnoseBench } from './diagnose.ts';
import { node } from './node.ts';
import { spine } from './spine.ts';

/** The benches by name. Each prints its tables, made in one run, side by side with what it is compared with. */
const benches: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  spine,
  node,
  diagnose: diagnoseBench,
  bundles,
};

const usage = `usage: npm run bench -- NAME [--help] (spine and node drop the page cache of the whole host); there are: ${Object.keys(benches).join(', ')}`;

const [name, ...args] = process.argv.slice(2);
const bench = name !== undefined && Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench !== undefined) {
  process.exitCode = await bench(args);
} else if (name === '--help' || name === '-h') {
  process.stdout.write(`${usage}\n`);
} else {
  process.stderr.write(`${name === undefined ? '' : `unknown bench "${name}"\n`}${usage}\n`);
  process.exitCode = 2;
}
