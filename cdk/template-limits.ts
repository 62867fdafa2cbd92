import { readFileSync } from 'node:fs';
import type { App } from 'aws-cdk-lib';

/**
 * CloudFormation takes templates of up to 1 MB and 500 resources. What is near that limit must be noticed while there is
 * still room to deploy a repair.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
const mostBytes = 900_000;
const mostResources = 450;

export type TemplateMeasure = { bytes: number; resources: number };

/** A template that CloudFormation may soon not take any more. */
export class TemplateTooLargeError extends Error {
  override readonly name = 'TemplateTooLargeError';
}

/** @param json the template as it is uploaded */
export function measureTemplate(json: string): TemplateMeasure {
  const { Resources = {} }: { Resources?: Record<string, unknown> } = JSON.parse(json);
  return { bytes: Buffer.byteLength(json), resources: Object.keys(Resources).length };
}

/** @throws TemplateTooLargeError with what it has too much of, and what to do */
export function checkTemplate(name: string, { bytes, resources }: TemplateMeasure): void {
  const problems = [
    ...(bytes > mostBytes
      ? [`${inKb(bytes)} KB, of at most ${inKb(mostBytes)} here and 1,048 in CloudFormation`]
      : []),
    ...(resources > mostResources
      ? [`${resources} resources, of at most ${mostResources} here and 500 in CloudFormation`]
      : []),
  ];
  if (problems.length === 0) return;
  throw new TemplateTooLargeError(
    `the template of ${name} has ${problems.join('; and ')}. Most of its size are the scripts in ssm-documents/, and much of the rest what is there per cluster: ` +
      'deploy this app twice with half of the clusters each, or move what has grown into a stack of its own',
  );
}

/** Synthesizes, and holds every template to the limits. */
export function synthesizeWithinLimits(app: App): void {
  for (const { stackName, templateFullPath } of app.synth().stacks) {
    checkTemplate(stackName, measureTemplate(readFileSync(templateFullPath, 'utf8')));
  }
}

function inKb(bytes: number): string {
  return Math.ceil(bytes / 1000).toLocaleString('en-US');
}
