export type Block = { kind: string; file: string; text: string };

/** The fenced blocks of a page that name a file after their language: "```ts lambdas/x.ts". */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w+) (\S+)\n(.*?)^```$/gms)].map(([, kind = '', file = '', text = '']) => ({
    kind,
    file,
    text,
  }));
}

/**
 * A text with a diff in it: each line with a plus comes after the line above it in the diff.
 *
 * @throws where a line that begins with a space is not in the text exactly once
 */
export function withDiff(text: string, diff: string): string {
  const lines = text.split('\n');
  let at = -1;
  for (const line of diff.split('\n').filter((one) => one !== '')) {
    const [sign, rest] = [line[0], line.slice(1)];
    if (sign === '+') {
      at += 1;
      lines.splice(at, 0, rest);
      continue;
    }
    const found = lines.flatMap((one, index) => (one === rest ? [index] : []));
    if (sign !== ' ' || found.length !== 1) {
      throw new Error(`"${rest}" is in the file ${found.length} times, and must be there once`);
    }
    at = found[0] ?? -1;
  }
  return lines.join('\n');
}
