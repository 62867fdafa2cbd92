import { describe, expect, it } from 'vitest';
import { localCluster, localSettings, shipped } from '../../local/local-settings.ts';
import { virtualFaults } from '../../local/vm/faults/index.ts';

describe('the settings of a run on this machine', () => {
  const settingsOf = (props: Partial<Parameters<typeof localSettings>[0]>) =>
    localSettings({ mode: 'auto', ...props }).clusters[localCluster];

  it('watch a recorded node, on which nothing changes, for a second only', () => {
    expect(settingsOf({ recorded: true })?.examination.windowSeconds).toBe(1);
    expect(settingsOf({})?.examination).toEqual(shipped().examination);
  });

  it('never drop the caches of this host, which is not thrown away afterwards', () => {
    const policyOf = (slices?: string[]) =>
      settingsOf(slices === undefined ? {} : { slices })?.policy.treatments;

    expect(policyOf(['/cgroup-medic-leak'])?.['drop-caches']).toBe('never');
    expect(policyOf()).toEqual(shipped().policy.treatments);
  });

  it.each(Object.entries(virtualFaults))('take what the fault %s needs', (_, { cluster }) => {
    expect(settingsOf({ emulated: true, ...(cluster === undefined ? {} : { cluster }) })).toMatchObject(
      cluster ?? {},
    );
  });
});
