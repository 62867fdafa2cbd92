/**
 * What ids of approvals are made of: the name of an execution, and which rung and which voided approval before it. It is pasted
 * as text into the runbook and its link, so it holds nothing that would have to be escaped there.
 */
export const approvalIdPattern = '^[A-Za-z0-9_-]{1,120}$';

/** What a reason given at the console may hold: it is pasted into JSON as text. */
export const consoleReasonPattern = '^[A-Za-z0-9 .,:;/()_+-]{0,200}$';
