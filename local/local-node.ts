import type { ManagedNode } from './cloud/ssm.ts';

/** A node of this machine: the machine itself, or a recorded one. */
export type LocalNode = {
  /** What a person should read: where the numbers come from. */
  title: string;
  recorded: boolean;
  managed: ManagedNode;
  /** Slices that a treatment may touch, where that is not what the shipped settings say. */
  slices?: readonly string[];
  close(): Promise<void>;
};
