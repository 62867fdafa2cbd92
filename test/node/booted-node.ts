import { afterAll, beforeAll, describe } from 'vitest';
import { checkVirtualNode } from '../../local/vm/check-virtual-node.ts';
import { installTools, nodeTools } from '../../local/vm/node-tools.ts';
import { type VariantName, variants } from '../../local/vm/variants.ts';
import { startVirtualNode, type VirtualNode } from '../../local/vm/virtual-node.ts';
import { loadDocument } from '../../ssm-documents/load.ts';

/** A node that is booted once for all tests of a file. */
export type BootedNode = ReturnType<typeof toolsOf>;

/** Tests in a virtual node, named after it; skipped where there can be none. */
export function describeNode(variant: VariantName, tests: (node: BootedNode) => void): void {
  const check = checkVirtualNode();
  const why = check.possible ? '' : ` (needs ${check.missing})`;
  describe.skipIf(!check.possible)(`in a virtual node: ${variants[variant].title}${why}`, () => {
    let booted: VirtualNode | undefined;
    beforeAll(async () => {
      booted = await startVirtualNode({
        variant,
        onProgress: (text) => process.stderr.write(`${variant}: ${text}\n`),
      });
      await installTools(booted);
    });
    afterAll(() => booted?.close());
    tests(
      toolsOf(variant, () => {
        if (booted === undefined) throw new Error('the virtual node did not boot');
        return booted;
      }),
    );
  });
}

function toolsOf(variant: VariantName, node: () => VirtualNode) {
  const tools = nodeTools(variant, node);
  const { mount, sh } = tools;
  let fencing = 0;
  return {
    variant,
    ...tools,
    /** What every treatment is told of its incident; the node refuses a fencing number that is older than the last. */
    incident: (name: string) => ({ incident: name, fencing: String(++fencing) }),
    get node() {
      return node();
    },
    /** Runs an SSM document as the agent would. */
    document: (name: string, parameters: Record<string, string>) =>
      node().runDocument({ content: loadDocument(name).content, parameters }),
    /** Every protection of the node. */
    protections: () => sh(`cd ${mount} && find . -name memory.low -exec grep -H . {} + | sort`),
    useAwk: (awk: 'mawk' | 'gawk') => sh(`update-alternatives --set awk /usr/bin/${awk} >/dev/null`),
  };
}

/** What a document printed, which must be one JSON object. */
// biome-ignore lint/suspicious/noExplicitAny: the tests look into it by name
export function json(result: { stdout: string; stderr: string; status: string }): any {
  if (result.status !== 'Success') throw new Error(`${result.status}: ${result.stderr}`);
  return JSON.parse(result.stdout);
}
