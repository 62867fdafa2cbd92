import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { putIntoVpc, type Vpc } from './function-in-vpc.ts';
import { MedicFunction } from './medic-function.ts';

export interface ClusterReaderProps {
  readonly cluster: string;
  readonly settings: Settings;
  readonly vpc: Vpc;
}

/** Asks the API server and the kubelets of one cluster, from within its VPC. It may call no AWS service. */
export class ClusterReader extends MedicFunction {
  constructor(scope: Construct, id: string, { cluster, settings, vpc }: ClusterReaderProps) {
    super(scope, id, {
      name: 'ask-cluster',
      several: true,
      description: `Asks the API server and the kubelets of ${cluster} about a node, from within its VPC`,
      settings,
      environment: { NODE_OPTIONS: '--enable-source-maps' },
      timeout: Duration.seconds(20),
    });
    putIntoVpc(this, vpc);
  }
}
