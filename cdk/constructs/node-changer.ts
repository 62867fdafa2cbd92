import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { putIntoVpc } from './function-in-vpc.ts';
import { MedicFunction } from './medic-function.ts';

export interface NodeChangerProps {
  readonly cluster: string;
  readonly settings: Settings;
  readonly api: Settings['clusters'][string]['api'];
}

/**
 * Cordons and drains nodes of one cluster, and deletes their claims. It is the only one with a right to change anything
 * there, in a role of its own: it never asks a kubelet, which could keep its token, and it may call no AWS service.
 */
export class NodeChanger extends MedicFunction {
  constructor(scope: Construct, id: string, { cluster, settings, api }: NodeChangerProps) {
    super(scope, id, {
      name: 'change-node',
      several: true,
      description: `Cordons and drains nodes of ${cluster}, and hands them to whoever replaces them`,
      settings,
      environment: { NODE_OPTIONS: '--enable-source-maps' },
      timeout: Duration.seconds(25),
    });
    if (api.access === 'vpc') putIntoVpc(this, api.vpc);
  }
}
