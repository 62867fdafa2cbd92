import { describeNode } from './booted-node.ts';
import { equippedSuite } from './equipped-suite.ts';

for (const variant of ['v2', '6.12', 'v1'] as const) describeNode(variant, equippedSuite);
