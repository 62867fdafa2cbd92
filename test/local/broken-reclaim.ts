import type { LocalNode } from '../../local/local-node.ts';

/** A node on which the document of the treatment dies half-way; everything else works. */
export function withBrokenReclaim(node: LocalNode): LocalNode {
  const { managed } = node;
  return {
    ...node,
    managed: {
      ...managed,
      run: async (content, parameters, signal) =>
        'slices' in parameters
          ? { status: 'Failed', responseCode: 1, stdout: '', stderr: 'killed half-way' }
          : managed.run(content, parameters, signal),
    },
  };
}
