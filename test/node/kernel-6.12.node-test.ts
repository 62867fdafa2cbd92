import { describeNode } from './booted-node.ts';
import { evidenceSuite } from './evidence-suite.ts';
import { reclaimSuite } from './reclaim-suite.ts';

describeNode('6.12', (node) => {
  evidenceSuite(node, { kernel: /^6\.12\./, systemd: 257 });
  reclaimSuite(node);
});
