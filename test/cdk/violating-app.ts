import { Stack } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { App } from 'aws-cdk-lib/core';
import { addSecurityRules } from '../../cdk/security-rules.ts';

// An app that breaks a rule, to see that a broken rule fails the synthesis.
const app = new App();
new Queue(new Stack(app, 'Violating'), 'Queue');
addSecurityRules(app);
app.synth();
