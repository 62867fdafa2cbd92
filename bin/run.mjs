// Every npm script starts here. Plain JavaScript, so that an old Node reaches the sentence below
// instead of a syntax error in a TypeScript file.
const wanted = 24;
const [major] = process.versions.node.split('.').map(Number);
if (major !== wanted) {
  const remedy =
    process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)
      ? 'Run "npm ci" (without --omit=optional): it installs the right Node into node_modules, and npm scripts pick it up from there.'
      : `Install Node ${wanted} from https://nodejs.org (or with nvm, fnm or Homebrew): there is no Node package for ${process.platform}-${process.arch} to bring it along.`;
  process.stderr.write(`cgroup-medic needs Node ${wanted}, and this is ${process.version}. ${remedy}\n`);
  process.exit(1);
}

const { pathToFileURL } = await import('node:url');
const { resolve } = await import('node:path');
const [script] = process.argv.splice(2, 1);
process.argv[1] = resolve(import.meta.dirname, '..', script);
await import(pathToFileURL(process.argv[1]).href);
