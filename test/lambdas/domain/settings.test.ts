import { describe, expect, it } from 'vitest';
import { clusterWith } from './sample-evidence.ts';

describe('reclaim.slices', () => {
  it.each(['/user.slice', '/a/b', '/..a', '/a..b/c'])('takes %s', (slice) => {
    expect(clusterWith({ reclaim: { slices: [slice] } }).reclaim.slices).toEqual([slice]);
  });

  it.each(['/', '', 'user.slice', '/a/', '//a', '/a b', '/a\n', '/..', '/a/../b', '/a/..'])(
    'refuses %j',
    (slice) => {
      expect(() => clusterWith({ reclaim: { slices: [slice] } })).toThrow();
    },
  );
});

describe('a cluster without settings of its own', () => {
  it('only observes, and never touches the slice of the pods', () => {
    const cluster = clusterWith();

    expect(cluster.initialMode).toBe('observe');
    expect(cluster.reclaim.slices.filter((slice) => slice.startsWith('/kubepods'))).toEqual([]);
    expect(cluster.approval.onePersonTeam).toBe(false);
  });
});
