import { diagnose } from '../lambdas/domain/diagnosis.ts';
import { planFor } from '../lambdas/domain/plan.ts';
import { evidenceCommand } from './evidence-command.ts';

const usage = `npm run plan -- FILE|-
  FILE    evidence as the document collect-evidence prints it; - reads standard input
  --json  accepted for symmetry: the output is always JSON`;

evidenceCommand(usage, {
  answer: (evidence, cluster) => {
    const diagnosis = diagnose(evidence, cluster.thresholds, cluster.diagnosis.shadow);
    return { diagnosis, ...planFor(diagnosis, evidence, cluster) };
  },
});
