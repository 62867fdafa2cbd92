import { diagnoseBench } from './diagnose.ts';
import { node } from './node.ts';
import { spine } from './spine.ts';

/** The benches by name. Each prints its tables, made in one run, side by side with what it is compared with. */
const benches: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  spine,
  node,
  diagnose: diagnoseBench,
};

const [name, ...args] = process.argv.slice(2);
const bench = name !== undefined && Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench === undefined) {
  process.stderr.write(
    `usage: npm run bench -- NAME (drops the page cache of the whole host); there are: ${Object.keys(benches).join(', ')}\n`,
  );
  process.exitCode = 2;
} else {
  process.exitCode = await bench(args);
}
