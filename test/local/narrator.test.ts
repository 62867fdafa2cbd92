import { describe, expect, it } from 'vitest';
import { numbers } from '../../local/narrator.ts';

describe('the numbers of a treatment', () => {
  it('are the dying cgroups and the page cache, where it frees them', () => {
    const before = { dying: 4600, cachedKb: 2048 };

    expect(numbers({ changed: true, before, after: { dying: 230, cachedKb: 1024 } })).toBe(
      'dying cgroups 4,600 → 230, page cache 2 MiB → 1 MiB',
    );
  });

  it('are what is not the same any more, where it changes something else', () => {
    const before = { memoryPerSession: true, dying: 124, slice: 'user.slice' };
    const after = { memoryPerSession: false, dying: 132, slice: 'user.slice' };

    expect(numbers({ changed: true, before, after })).toBe('memoryPerSession true → false, dying 124 → 132');
    expect(numbers({ changed: true, before, after: before })).toBe('it was changed');
    expect(numbers({ changed: false, before, after: before })).toBe('nothing was changed');
  });
});
