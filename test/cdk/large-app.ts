import { App, Stack } from 'aws-cdk-lib';
import { CfnTopic } from 'aws-cdk-lib/aws-sns';
import { synthesizeWithinLimits } from '../../cdk/template-limits.ts';

// For synth.test.ts: one resource too many.
const app = new App({ analyticsReporting: false });
const stack = new Stack(app, 'Large');
for (let index = 0; index <= 450; index += 1) new CfnTopic(stack, `Topic${index}`);
synthesizeWithinLimits(app);
