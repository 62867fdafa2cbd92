import * as z from 'zod';
import { diagnose } from '../lambdas/domain/diagnosis.ts';
import { Evidence } from '../lambdas/domain/evidence/evidence.ts';
import { evidenceCommand } from './evidence-command.ts';

const usage = `npm run diagnose -- FILE|-
  FILE      evidence as the document collect-evidence prints it; - reads standard input
  --schema  prints the JSON Schema of evidence instead
  --json    accepted for symmetry: the output is always JSON`;

evidenceCommand(usage, {
  schema: () => z.toJSONSchema(Evidence, { io: 'input' }),
  answer: (evidence, cluster) => diagnose(evidence, cluster.thresholds, cluster.diagnosis.shadow),
});
