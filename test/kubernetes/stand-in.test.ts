import { standIn } from './stand-in.ts';
import { describeCluster } from './suite.ts';

describeCluster('the stand-in', standIn);
