import { expect, it } from 'vitest';
import { agentsSuite } from './agents-suite.ts';
import { describeNode, json } from './booted-node.ts';
import { evidenceSuite } from './evidence-suite.ts';
import { sessionsSuite } from './sessions-suite.ts';

describeNode('v1', (node) => {
  evidenceSuite(node, { kernel: /^6\.1\./, systemd: 252 });
  sessionsSuite(node);
  agentsSuite(node);

  it.each(['mawk', 'gawk'] as const)(
    'cures 2,000 zombies, and another slice keeps its page cache (%s)',
    async (awk) => {
      await node.useAwk(awk);
      const slice = `/leak${awk}.slice`;
      const other = await node.hotService(`other-${awk}`, `other${awk}.slice`, 64);
      await node.leak(slice, 2000);
      const before = { dying: await node.dying(), other: await node.cacheOf(other) };
      const result = json(
        await node.document('reclaim', {
          slices: slice,
          ...node.incident(`n-reclaim-${awk}`),
          cpuPercent: '50',
          maxSeconds: '300',
          psiFullLimit: '0',
          ioFullLimit: '0',
        }),
      );
      const after = { dying: await node.dying(), other: await node.cacheOf(other) };
      process.stdout.write(
        `v1, ${awk}: dying ${before.dying} → ${after.dying}; cache of another slice ${before.other} → ${after.other} bytes; ${result.slices[0].writes} turns\n`,
      );

      expect(before.dying - after.dying).toBeGreaterThan(1700);
      expect(result).toMatchObject({ changed: true, slices: [{ path: slice }], undo: null });
      expect(after.other).toBeGreaterThan(before.other * 0.99);
    },
  );
});
