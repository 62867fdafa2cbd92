/** Functions that the state machine calls. Each is `lambdas/handlers/NAME.ts`. */
export const machineFunctionNames = [
  'open',
  'send-evidence',
  'poll-command',
  'diagnose',
  'plan',
  'gate',
  'request-approval',
  'settle-approval',
  'recheck',
  'send-treatment',
  'record-treatment',
  'notify',
  'verify',
  'send-undo',
  'record-undo',
  'next-rung',
  'close',
] as const;
export type MachineFunctionName = (typeof machineFunctionNames)[number];

/** All functions: those of the state machine, the one that takes a person's decision, and the one that cleans up. */
export const functionNames = [...machineFunctionNames, 'decide', 'janitor'] as const;
export type FunctionName = (typeof functionNames)[number];
