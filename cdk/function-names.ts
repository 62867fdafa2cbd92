/** Functions that the state machine calls. Each is `lambdas/handlers/NAME.ts`. */
export const machineFunctionNames = [
  'open',
  'send-evidence',
  'poll-command',
  'examine-around',
  'diagnose',
  'plan',
  'gate',
  'request-approval',
  'settle-approval',
  'recheck',
  'hold-node',
  'send-treatment',
  'record-treatment',
  'replace-step',
  'begin-standing',
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

/** Functions that stand before the state machine, with rights and an environment of their own. */
export const intakeFunctionNames = ['intake', 'webhook'] as const;

/** Functions of the door in Slack, with an environment of their own. */
export const slackFunctionNames = ['slack', 'slack-post'] as const;

/** Functions of the census, with an environment of their own. */
export const censusFunctionNames = ['census-start', 'census-read', 'census-close'] as const;

/** The door of the AWS console, with rights and an environment of its own. */
export const doorFunctionNames = ['decide-at-console'] as const;

/** Looks for cordons that were forgotten, where nodes may be cordoned at all. */
export const sweeperFunctionNames = ['sweep-cordons'] as const;

/** Every handler that is bundled: those, the one that asks a cluster from within its VPC, and the one that changes nodes; of both there are as many as there are such clusters. */
export const bundleNames = [
  ...functionNames,
  ...intakeFunctionNames,
  ...slackFunctionNames,
  ...censusFunctionNames,
  ...doorFunctionNames,
  ...sweeperFunctionNames,
  'ask-cluster',
  'change-node',
] as const;
export type BundleName = (typeof bundleNames)[number];
