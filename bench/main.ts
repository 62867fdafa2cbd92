import { spine } from './spine.ts';

/** The benches by name. Each prints a table of its own, made in one run, side by side with what it is compared with. */
const benches: Readonly<Record<string, () => Promise<boolean>>> = { spine };

const [name, ...more] = process.argv.slice(2);
const bench = name !== undefined && Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench === undefined || more.length > 0) {
  process.stderr.write(
    `usage: npm run bench -- NAME (drops the page cache of the whole host); there are: ${Object.keys(benches).join(', ')}\n`,
  );
  process.exitCode = 2;
} else {
  process.exitCode = (await bench()) ? 0 : 1;
}
