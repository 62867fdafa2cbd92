import { decode, encode } from '@jridgewell/sourcemap-codec';
import { expect, it } from 'vitest';
import { ownSourceMap } from '../../cdk/constructs/own-source-map.ts';

const map = (mappings: Parameters<typeof encode>[0]) =>
  JSON.stringify({
    version: 3,
    sources: ['../../node_modules/zod/a.js', '../lambdas/a.ts', '../lambdas/b.ts'],
    names: ['ofZod', 'ofA', 'ofB'],
    mappings: encode(mappings),
  });

it('keeps the places of our own sources, and their names', () => {
  const own = JSON.parse(
    ownSourceMap(
      map([
        [
          [0, 0, 1, 1, 0],
          [5, 1, 7, 2, 1],
        ],
        [
          [3, 2, 9, 4],
          [8, 1, 8, 0, 1],
        ],
      ]),
    ),
  );

  expect(own).toMatchObject({ version: 3, sources: ['../lambdas/a.ts', '../lambdas/b.ts'], names: ['ofA'] });
  expect(decode(own.mappings)).toEqual([
    [[0], [5, 0, 7, 2, 0]],
    [
      [3, 1, 9, 4],
      [8, 0, 8, 0, 0],
    ],
  ]);
});

it('ends a place of ours where a package begins, once', () => {
  const own = JSON.parse(
    ownSourceMap(
      map([
        [
          [0, 1, 1, 1],
          [5, 0, 1, 1],
          [9, 0, 2, 2],
          [12, 2, 3, 3],
        ],
      ]),
    ),
  );

  expect(decode(own.mappings)).toEqual([[[0, 0, 1, 1], [5], [12, 1, 3, 3]]]);
});
