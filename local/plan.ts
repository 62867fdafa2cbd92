import { evidenceCommand } from './evidence-command.ts';

const usage = `npm run plan -- FILE|-
  FILE    evidence as the document collect-evidence prints it, and what collect-services prints as a second line;
          - reads standard input
  --text  says it for a person instead of JSON
  --json  the default`;

evidenceCommand(usage, { answer: (diagnosis, plan) => ({ diagnosis, ...plan }) });
