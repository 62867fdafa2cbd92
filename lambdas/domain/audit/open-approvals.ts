import type { AuditEntry } from './entry.ts';

/** The approvals that were asked for and never settled, by id. */
export function openApprovals(entries: AuditEntry[]): string[] {
  const open = new Set<string>();
  for (const { step, details } of entries) {
    const id = details?.approvalId;
    if (typeof id !== 'string') continue;
    if (step === 'approval.requested') open.add(id);
    if (step === 'approval.settled') open.delete(id);
  }
  return [...open];
}
