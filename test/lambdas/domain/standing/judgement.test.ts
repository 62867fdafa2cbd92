import { describe, expect, it } from 'vitest';
import { freshCourse, withoutPlace, withPlace, withRun } from '../../../../lambdas/domain/standing/course.ts';
import { isDue, judgeStanding } from '../../../../lambdas/domain/standing/judgement.ts';
import { inDays, sampleStanding } from './sample-standing.ts';

const standing = sampleStanding();

/** A course with one run a day, with these means of ten nodes each, and so many of them over the threshold. */
function course(means: readonly number[], over: (day: number) => number = () => 0) {
  return means.reduce(
    (present, mean, day) =>
      withRun(
        present,
        { looks: 10, over: over(day), sum: mean * 10, max: mean * 2, raised: over(day) },
        inDays(day),
      ),
    freshCourse(standing.id),
  );
}

describe('the weekly judgement of a standing reclaim', () => {
  it('says that it keeps up where few nodes are over and the mean stays', () => {
    const judged = judgeStanding(
      standing,
      course([1500, 900, 800, 900, 800, 900, 800], () => 1),
      inDays(7),
    );
    expect(judged.verdict).toBe('keeps-up');
    expect(judged.reason).toContain('7 of 70 looks found a node with 2000 dying cgroups or more');
  });

  it.each([
    ['nodes are over the threshold too often', course([1500, 1500, 1500, 1500, 1500], () => 3), 'too often'],
    ['what is left behind grows', course([500, 600, 800, 900, 1100, 1200, 1300]), 'leaves behind grows'],
  ])('says that it falls behind where %s', (_, present, why) => {
    expect(judgeStanding(standing, present, inDays(7))).toMatchObject({
      verdict: 'falls-behind',
      reason: expect.stringContaining(why),
    });
  });

  it('does not take silence for health, nor what it saw more than a week ago', () => {
    expect(judgeStanding(standing, freshCourse(standing.id), inDays(7)).verdict).toBe('unknown');
    expect(judgeStanding(standing, course([500, 500]), inDays(12)).verdict).toBe('unknown');
    const silent = withRun(
      freshCourse(standing.id),
      { looks: 0, over: 0, sum: 0, max: 0, raised: 0 },
      inDays(6),
    );
    expect(judgeStanding(standing, silent, inDays(7)).verdict).toBe('unknown');
  });

  it('is due a week after it began, and then every week', () => {
    const never = freshCourse(standing.id);
    const judged = { ...never, judgedAt: inDays(7).toISOString() };
    expect(isDue(standing, never, inDays(6.9))).toBe(false);
    expect(isDue(standing, never, inDays(7))).toBe(true);
    expect(isDue(standing, judged, inDays(13.9))).toBe(false);
    expect(isDue(standing, judged, inDays(14))).toBe(true);
  });
});

describe('the course of a standing treatment', () => {
  it('adds up the runs of one day, and keeps thirty days', () => {
    const look = { looks: 2, over: 1, sum: 300, max: 200, raised: 1 };
    const day = withRun(withRun(freshCourse('a'), look, inDays(0.1)), { ...look, max: 250 }, inDays(0.2));
    expect(day.days).toEqual([
      { day: '2026-11-01', runs: 2, looks: 4, over: 2, sum: 600, max: 250, raised: 2, unseen: 0 },
    ]);
    const long = Array.from({ length: 40 }, (_, index) => inDays(index)).reduce(
      (present, at) => withRun(present, look, at),
      day,
    );
    expect(long.days).toHaveLength(30);
    expect(long.days.at(-1)?.day).toBe('2026-12-10');
  });

  it('counts failures in a row, and forgets them with a success; of what did nothing it counts nothing', () => {
    const place = { incident: 'i', instanceId: 'i-0123456789abcdef0', until: inDays(1).toISOString() };
    const taken = withPlace(freshCourse('a'), place, 1, inDays(0));
    const failed = withoutPlace(withoutPlace(taken, 'i', false), 'j', false);
    expect(failed).toMatchObject({ places: [], acts: { helped: 0, failed: 2, failedInRow: 2 } });
    expect(withoutPlace(failed, 'k', undefined).acts.failedInRow).toBe(2);
    expect(withoutPlace(failed, 'k', true).acts).toEqual({ helped: 1, failed: 2, failedInRow: 0 });
  });
});

describe('the weekly judgement of a standing restart', () => {
  const restart = sampleStanding({ treatment: 'standing-restart', cause: 'kubelet-leak', threshold: 2048 });
  const courseOf = (look: { looks: number; over?: number; unseen?: number; whyUnseen?: string }) =>
    [0, 1, 2, 3, 4].reduce(
      (present, day) => withRun(present, { over: 0, sum: 900, max: 1500, raised: 1, ...look }, inDays(day)),
      freshCourse(restart.id),
    );

  it('says that it keeps up where no kubelet is full', () => {
    expect(judgeStanding(restart, courseOf({ looks: 20, over: 1, unseen: 5 }), inDays(7))).toMatchObject({
      verdict: 'keeps-up',
      reason: expect.stringContaining('1500 MB at most'),
    });
  });

  it('says that it falls behind where restarts come too late', () => {
    expect(judgeStanding(restart, courseOf({ looks: 20, over: 2 }), inDays(7))).toMatchObject({
      verdict: 'falls-behind',
      reason: expect.stringContaining('10 of 100 looks found a kubelet at its limit (2048 MB'),
    });
  });

  it('says that nobody knows, and why, where most looks tell no course, or none was made', () => {
    const unseen = { looks: 5, unseen: 15, whyUnseen: 'i-1: its samples cover 2 hours' };
    expect(judgeStanding(restart, courseOf(unseen), inDays(7))).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringContaining('(i-1: its samples cover 2 hours)'),
    });
    expect(judgeStanding(restart, freshCourse(restart.id), inDays(7)).verdict).toBe('unknown');
  });
});
