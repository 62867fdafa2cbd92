import { GetAutomationExecutionCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { Execution } from '../domain/approval/console-decision.ts';
import { MedicError } from './medic-error.ts';

/**
 * What Systems Manager says of an execution of Automation.
 *
 * @throws MedicError where there is none of this id, or it cannot be asked
 */
export async function automationExecution(client: SSMClient, id: string): Promise<Execution> {
  try {
    const { AutomationExecution: found } = await client.send(
      new GetAutomationExecutionCommand({ AutomationExecutionId: id }),
    );
    return {
      id: found?.AutomationExecutionId ?? '',
      document: found?.DocumentName ?? '',
      status: found?.AutomationExecutionStatus ?? 'unknown',
      executedBy: found?.ExecutedBy,
      parameters: found?.Parameters ?? {},
    };
  } catch (error) {
    throw new MedicError(`Systems Manager does not say who started the execution ${id}`, { cause: error });
  }
}
