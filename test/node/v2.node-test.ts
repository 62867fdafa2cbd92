import { agentsSuite } from './agents-suite.ts';
import { describeNode } from './booted-node.ts';
import { channelSuite } from './channel-suite.ts';
import { evidenceSuite } from './evidence-suite.ts';
import { reclaimSuite } from './reclaim-suite.ts';
import { sessionsSuite } from './sessions-suite.ts';

describeNode('v2', (node) => {
  channelSuite(node);
  evidenceSuite(node, { kernel: /^6\.1\./, systemd: 252 });
  sessionsSuite(node);
  agentsSuite(node);
  reclaimSuite(node);
});
