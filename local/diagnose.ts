import * as z from 'zod';
import { Evidence } from '../lambdas/domain/evidence/evidence.ts';
import { evidenceCommand } from './evidence-command.ts';

const usage = `npm run diagnose -- FILE|-
  FILE      evidence as the document collect-evidence prints it, and what collect-services prints as a second line;
            - reads standard input
  --text    says it for a person, with what would be done, instead of JSON
  --schema  prints the JSON Schema of evidence instead
  --json    the default`;

evidenceCommand(usage, {
  schema: () => z.toJSONSchema(Evidence, { io: 'input' }),
  answer: (diagnosis) => diagnosis,
});
