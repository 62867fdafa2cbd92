import type * as z from 'zod';
import type { ConsoleOutput } from '../evidence/console.ts';
import { printable } from '../printable.ts';

const mostLast = 10;
const longestLine = 300;
/** The kernel writes no longer one; what a program has made longer is not searched to its end. */
const mostOfLine = 2048;

/** A line of the kernel's log begins with its time; what programs print to the console does not. */
const kernelLine = /^(?:<\d+>)?\[\s*\d+\.\d{6}\](?:\[[^\]]*\])?\s+(.*)$/;
/** A console is coloured by them; `printable` has made a dot of the escape at their beginning. */
const colours = /·\[[0-9;]*[A-Za-z]/g;

/** "Out of memory: Killed process 1 (kubelet)", "Memory cgroup out of memory: Killed process …", and the older "Kill process". */
const oomKill =
  /^(?:Out of memory|Memory cgroup out of memory)(?: \([^)]*\))?: Kill(?:ed)? process \d+ \((.+?)\)/i;
const hungTask = /^(?:INFO: )?task .+ blocked for more than \d+ seconds/;
const panic = /^Kernel panic - not syncing/;
/** systemd and the kubelet say it on the kernel's log where the console is what is left. */
const noSpace = /cgroup.*(?:no space left on device|-28\b)/i;

/** What the kernel has said on the console of an instance, by the messages that it writes. */
export function consoleOutputOf(output: string): z.infer<typeof ConsoleOutput> {
  const lines = output.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '');
  const counts = { oomKills: 0, ofKubelet: 0, hungTasks: 0, cgroupNoSpace: 0, panics: 0 };
  const told: string[] = [];
  for (const line of lines) {
    const clean = printable(line.slice(0, mostOfLine)).replace(colours, '');
    const said = kernelLine.exec(clean)?.[1];
    if (said === undefined) continue;
    const killed = oomKill.exec(said)?.[1];
    const found = {
      oomKills: killed !== undefined,
      ofKubelet: killed === 'kubelet',
      hungTasks: hungTask.test(said),
      cgroupNoSpace: noSpace.test(said),
      panics: panic.test(said),
    };
    if (!Object.values(found).some(Boolean)) continue;
    for (const key of Object.keys(counts) as (keyof typeof counts)[]) counts[key] += found[key] ? 1 : 0;
    told.push(clean.slice(0, longestLine));
  }
  return { lines: lines.length, ...counts, last: told.slice(-mostLast) };
}
