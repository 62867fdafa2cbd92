import { describe, expect, it } from 'vitest';
import { consoleOutputOf } from '../../../../lambdas/domain/around/console-output.ts';
import { ConsoleOutput } from '../../../../lambdas/domain/evidence/console.ts';

const kill = (comm: string, at = '912044.118960') =>
  `[${at}] Out of memory: Killed process 2231 (${comm}) total-vm:6120044kB, anon-rss:3390120kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:7104kB oom_score_adj:-999`;

function counted(...lines: string[]) {
  const output = consoleOutputOf(lines.join('\r\n'));
  expect(ConsoleOutput.parse(output)).toEqual(output);
  return output;
}

describe('the console of an instance', () => {
  it('tells OOM kills, and which of them were of the kubelet', () => {
    const output = counted(
      '[    0.000000] Linux version 6.1.134',
      kill('kubelet'),
      '',
      kill('java'),
      '[912050.000001] Memory cgroup out of memory: Killed process 7 (kubelet-helper) total-vm:1kB',
      '[912051.000001][T12345] Memory cgroup out of memory: Kill process 8 (node) score 1000 or sacrifice child',
    );

    expect(output).toMatchObject({ lines: 5, oomKills: 4, ofKubelet: 1 });
    expect(output.last).toHaveLength(4);
  });

  it('tells hung tasks, panics, and cgroups that could not be made', () => {
    const output = counted(
      '[1000.123456] INFO: task kworker/u4:1:223 blocked for more than 122 seconds.',
      '<3>[ 1001.123456] Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled',
      '[1002.123456] systemd[1]: Failed to create cgroup /system.slice/x.service: No space left on device',
      '[1003.123456] systemd[1]: x.service: write failed: No space left on device',
    );

    expect(output).toMatchObject({ hungTasks: 1, panics: 1, cgroupNoSpace: 1, oomKills: 0 });
  });

  it('believes the kernel only: what a program prints is no message of it', () => {
    const output = counted(
      'Out of memory: Killed process 1 (kubelet) total-vm:1kB',
      'app[12]: [1.0] Kernel panic - not syncing: just kidding',
      '[12.5] INFO: task x blocked for more than 120 seconds.',
      '[912044.118960] app: Out of memory: Killed process 1 (kubelet)',
    );

    expect(output).toMatchObject({ lines: 4, oomKills: 0, ofKubelet: 0, hungTasks: 0, panics: 0, last: [] });
  });

  it('keeps the last ten of those lines, without colours and control characters', () => {
    const lines = Array.from(
      { length: 15 },
      (_, index) => `\u001b[33m${kill('java', `${index}.000000`)}\u0007`,
    );
    const { oomKills, last } = counted(...lines);

    expect(oomKills).toBe(15);
    expect(last).toHaveLength(10);
    expect(last.at(-1)).toMatch(/^\[14\.000000\] Out of memory.*·$/);
  });

  it('is read in a time that grows with its length, whatever is on it', () => {
    const started = performance.now();
    consoleOutputOf(`[    1.000000] ${'cgroup'.repeat(100_000)}`);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
