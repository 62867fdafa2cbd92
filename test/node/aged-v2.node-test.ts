import { agedSuite } from './aged-suite.ts';
import { describeNode } from './booted-node.ts';

describeNode('v2', agedSuite);
