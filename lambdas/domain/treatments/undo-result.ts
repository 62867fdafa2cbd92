import * as z from 'zod';
import type { Changed } from '../replacement/changed.ts';

/** What every undo document prints. `remaining` counts what it could not take back. */
const UndoResult = z.looseObject({
  version: z.literal(1),
  document: z.string(),
  changed: z.boolean(),
  remaining: z.int().nonnegative(),
});

/** What became of an undo. nothing: there was nothing of ours to take back. */
export const Undone = z.object({ status: z.enum(['done', 'nothing', 'failed']), reason: z.string() });
export type Undone = z.infer<typeof Undone>;

/** Whether an undo took everything back, from how its command ended and what it printed. */
export function undoneBy(command: {
  status: string;
  output?: string | undefined;
  reason?: string | undefined;
}): Undone {
  const failed = (reason: string): Undone => ({ status: 'failed', reason });
  if (command.status !== 'succeeded') return failed(command.reason ?? `the undo ended as ${command.status}`);
  let json: unknown;
  try {
    json = JSON.parse(command.output ?? '');
  } catch {
    return failed('the undo did not print a JSON result');
  }
  const parsed = UndoResult.safeParse(json);
  if (!parsed.success) return failed('the result of the undo does not fit its schema');
  if (parsed.data.remaining > 0) return failed(`${parsed.data.remaining} changes could not be taken back`);
  return {
    status: 'done',
    reason: parsed.data.changed ? 'what we changed was taken back' : 'nothing of ours was left to take back',
  };
}

/** What became of an uncordon. Where the node has gone, or is not ours to uncordon any more, nothing of ours stands. */
export function uncordonedBy({ is, says }: Changed, node: string): Undone {
  return is === 'done'
    ? { status: 'done', reason: `the cordon of the node ${node} was taken back` }
    : { status: 'nothing', reason: `the node ${node} was left as it is: ${says}` };
}
