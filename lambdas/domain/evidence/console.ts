import * as z from 'zod';
import { count, name } from './number.ts';

/** What the kernel has written to the console of the instance, for a node that answers to nobody. */
export const ConsoleOutput = z.object({
  lines: count,
  oomKills: count,
  ofKubelet: count,
  hungTasks: count,
  cgroupNoSpace: count,
  panics: count,
  /** The last of those lines, without anything but what the kernel says. */
  last: z.array(name).max(10),
});
