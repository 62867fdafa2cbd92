import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/safety.md'), 'utf8');
/** `FILE`: "TITLE", as the page names a test. */
const named = [...page.matchAll(/`(test\/[\w./-]+)`: "([^"]*)"/g)].map(([, file = '', title = '']) => ({
  file,
  title,
}));
const promises = page.split('\n').filter((line) => /^\| (?!promise|---)/.test(line));

describe('docs/safety.md', () => {
  it('names a test for every promise', () => {
    expect(promises.length).toBeGreaterThan(20);
    expect(promises.filter((line) => !/`test\/[\w./-]+`: "[^"]+"/.test(line))).toEqual([]);
  });

  it.each(named)('$file has the test "$title"', ({ file, title }) => {
    expect(existsSync(join(root, file)), file).toBe(true);
    // The whole title, as a test or a group of tests is called; not some words of it.
    const text = readFileSync(join(root, file), 'utf8');
    expect(["'", '`', '"'].some((quote) => text.includes(`${quote}${title}${quote}`))).toBe(true);
  });
});
