import { describe, expect, it } from 'vitest';
import type { Signal } from '../../../../lambdas/domain/treatments/treatment.ts';
import { lookAt, looksIn } from '../../../../lambdas/domain/verification/looks.ts';
import { clusterWith } from '../sample-evidence.ts';

const cluster = clusterWith();

describe('the looks', () => {
  it('fill the window, begin within a minute, and never wait longer than the lease lives', () => {
    const { verification } = cluster;

    expect(looksIn(verification)).toEqual({ planned: 6, first: 60, between: 108 });
    expect(looksIn({ ...verification, windowSeconds: 2, samples: 5 })).toEqual({
      planned: 5,
      first: 1,
      between: 1,
    });
    expect(looksIn({ ...verification, windowSeconds: 3600, samples: 5 })).toEqual({
      planned: 6,
      first: 60,
      between: 708,
    });
  });

  it('ask for everything within three minutes and at the end, and otherwise for what is compared', () => {
    const asked = (signal: Signal) =>
      [0, 1, 2, 3, 4, 5, 6].map((index) => {
        const { profile, windowSeconds, services } = lookAt(index, signal, cluster);
        return `${profile} ${windowSeconds}${services ? ' services' : ''}`;
      });
    const all = 'full 2 services';

    expect(asked('dying')).toEqual(['quick 0', all, 'quick 0', 'quick 0', 'quick 0', all, all]);
    expect(asked('leakedScopes')[0]).toBe('full 0');
    expect(asked('throttledRatio')[0]).toBe('full 2');
    expect(asked('kubeletRssKb')[0]).toBe('quick 0 services');
    expect(asked('exitedContainers')[0]).toBe('quick 0 services');
    expect(asked('abandonedScopes')[0]).toBe('quick 0 services');
  });
});
