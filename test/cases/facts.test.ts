import { describe, expect, it } from 'vitest';
import { evidenceOf } from './evidence-of.ts';
import { viewOf } from './facts/fact-view.ts';
import { courseIn, kbIn, numberIn, secondsIn, truthOf } from './facts/words.ts';

describe('words of reports', () => {
  it.each([
    [65535, 65535],
    ['65,535', 65535],
    ['about 70000', 70000],
    ['> 50', 50],
    ['16k goroutines', 16_000],
    ['thousands', 1000],
    ['tens of thousands', 10_000],
    ['hundreds of thousands', 100_000],
    ['dozens', 24],
    ['three', 3],
    ['some, not all', undefined],
    [true, undefined],
  ])('%j is the number %j', (value, number) => {
    expect(numberIn(value)).toBe(number);
  });

  it.each([
    [50, 'gb', 50 * 1024 ** 2],
    ['500M', undefined, 500 * 1024],
    ['15.2 GiB', undefined, 15_938_355],
    ['tens of GB', undefined, 20 * 1024 ** 2],
    ['512 KB', 'mb', 512],
    [2048, 'b', 2],
    [50, undefined, undefined],
    ['a lot', 'gb', undefined],
  ])('%j in %j is so many KiB: %j', (value, unit, kb) => {
    expect(kbIn(value, unit)).toBe(kb);
  });

  it('times have the unit of their value, or else of their name', () => {
    expect(secondsIn(7.5, 'minute')).toBe(450);
    expect(secondsIn('20 days', undefined)).toBe(20 * 86_400);
    expect(secondsIn('about 3 hours', 'day')).toBe(3 * 3600);
    expect(secondsIn(3, undefined)).toBeUndefined();
  });

  it.each([
    ['monotonic increase', 'rises'],
    ['linear increase', 'rises'],
    ['fairly constant', 'steady'],
    ['no growth', 'steady'],
    ['comes down by itself', 'falls'],
    ['spikes', undefined],
  ])('%j goes: %j', (value, course) => {
    expect(courseIn(value)).toBe(course);
  });

  it('yes and no', () => {
    expect(truthOf('never')).toBe(false);
    expect(truthOf('no effect')).toBe(false);
    expect(truthOf(0)).toBe(false);
    expect(truthOf('skyrockets')).toBe(true);
    expect(truthOf('')).toBeUndefined();
  });
});

describe('names of facts', () => {
  const view = (name: string, value: number | string = 1) => viewOf({ name, value, from: 'reported' });

  it('are taken apart into what they are about, units, ends and bounds', () => {
    expect(view('kubelet_rss_start_mb')).toMatchObject({
      subject: 'kubelet_rss',
      unit: 'mb',
      stage: 'start',
    });
    expect(view('kubelet_memory_gb_min')).toMatchObject({
      subject: 'kubelet_memory',
      unit: 'gb',
      bound: 'least',
    });
    expect(view('sessions_total')).toMatchObject({ subject: 'sessions' });
    expect(view('errors_per_10_minutes')).toMatchObject({ subject: 'errors', perSeconds: 600 });
    expect(view('growth', '1.5 GB per day')).toMatchObject({ subject: 'growth', perSeconds: 86_400 });
  });

  it('say whether another reporter is meant', () => {
    expect(view('second_reporter_kernel')).toMatchObject({ subject: 'kernel', secondary: true });
    expect(view('max_pods_one_reporter')).toMatchObject({ subject: 'max_pods', secondary: false });
  });
});

describe('evidence from facts', () => {
  const probesOf = (facts: Record<string, number | string | boolean>, platform = {}) =>
    evidenceOf({
      id: 'x',
      year: 2026,
      platform,
      facts: Object.entries(facts).map(([name, value]) => ({ name, value, from: 'reported' as const })),
    }).evidence.probes;

  it('is a gap wherever the report is silent', () => {
    const { cgroups, memory, sessions } = probesOf({ nr_dying_descendants: 900 });

    // One of the two counts is not both.
    for (const probe of [cgroups, memory, sessions]) {
      expect(probe).toEqual({ status: 'missing', reason: 'the report is silent about it' });
    }
  });

  it('takes the counter of the kernel less the directories for the dying', () => {
    expect(probesOf({ proc_cgroups_memory_num: 68_680, cgroup_dirs: 240 }).cgroups).toMatchObject({
      value: { live: 240, dying: 68_440 },
    });
  });

  it('believes the first reporter before the second', () => {
    const { host } = probesOf({ second_reporter_kernel: '4.4', kernel: '6.1' });
    expect(host).toMatchObject({ value: { kernel: '6.1' } });
    expect(probesOf({ second_reporter_kernel: '4.4' }, { kernel: '5.10' }).host).toMatchObject({
      value: { kernel: '5.10' },
    });
  });

  it('takes a disk that is full, or inotify, for no cgroup', () => {
    const { mkdirProbe } = probesOf({
      inotify_error: 'no space left on device',
      disk_error: 'no space left on device',
    });
    expect(mkdirProbe.status).toBe('missing');
  });

  it('takes a claim for no measurement', () => {
    const { observations, kubelet } = probesOf({ claimed_site: 'podWorkers', kubelet_rss_given: false });
    expect([observations.status, kubelet.status]).toEqual(['missing', 'missing']);
  });
});
