import { App } from 'aws-cdk-lib';
import cdkJson from '../cdk.json' with { type: 'json' };
import type { Settings } from '../lambdas/domain/settings.ts';
import { CgroupMedicStack } from './cgroup-medic-stack.ts';
import { readSettings, settingsKey } from './settings.ts';

export interface BuildAppProps {
  /** @default - the settings in the context of cdk.json */
  readonly settings?: Settings;
  /** @default - where the CDK CLI says, or a temporary directory */
  readonly outdir?: string;
  /**
   * Whether the template is held against the rules of CloudFormation. That changes nothing in it and is most of the time
   * that a synthesis takes, so only what is never deployed goes without.
   *
   * @default true
   */
  readonly validated?: boolean;
}

/**
 * The app. The CDK CLI, the tests and the one-machine engine all build it here, so all synthesize the same thing:
 * without the CLI nobody else would read the feature flags of cdk.json.
 */
export function buildApp({ settings, outdir, validated = true }: BuildAppProps = {}): App {
  const app = new App({
    context: cdkJson.context,
    analyticsReporting: false,
    builtinCloudFormationValidation: validated,
    ...(outdir === undefined ? {} : { outdir }),
  });
  new CgroupMedicStack(app, 'CgroupMedic', {
    description:
      'cgroup-medic: diagnosed, approved, verified and audited repair of memory cgroups on EKS nodes',
    // Most of it is scripts, a line each: indented they come close to the megabyte that CloudFormation takes.
    suppressTemplateIndentation: true,
    settings: settings ?? readSettings(app.node.tryGetContext(settingsKey)),
  });
  return app;
}
