import { describe, expect, it } from 'vitest';
import { type LocalNode, NodeUnavailableError } from '../../local/local-node.ts';
import { requireFault } from '../../local/run-incident.ts';

const node = (least?: number) =>
  ({
    symptom: { what: 'dying memory cgroups', count: () => 0, ...(least === undefined ? {} : { least }) },
  }) as unknown as LocalNode;

describe('a fault that was made and has gone before the incident began', () => {
  it('is no incident: nobody has repaired it, and the run says so', () => {
    expect(() => requireFault(node(2000), 21)).toThrow(NodeUnavailableError);
    expect(() => requireFault(node(2000), 21)).toThrow(
      /21 dying memory cgroups are left.*2000 are the least/,
    );
  });

  it('is still one at the least that is a fault, and where nobody knows how many that is', () => {
    expect(() => requireFault(node(2000), 2000)).not.toThrow();
    expect(() => requireFault(node(), 0)).not.toThrow();
  });
});
