import { describeNode } from './booted-node.ts';
import { containersSuite } from './containers-suite.ts';

for (const variant of ['v2', '6.12'] as const) describeNode(variant, containersSuite);
