import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { account } from '../engine/intrinsics.ts';
import { isJsonObject, type Json, type JsonObject } from '../engine/json.ts';
import { TaskError } from '../engine/task-error.ts';
import type { TemplateDocument } from '../engine/template.ts';
import { type Operations, ServiceError } from './wire.ts';

const Runbook = z.object({
  schemaVersion: z.literal('0.3'),
  parameters: z
    .record(
      z.string(),
      z.object({
        default: z.string().optional(),
        allowedPattern: z.string().optional(),
        allowedValues: z.array(z.string()).optional(),
      }),
    )
    .default({}),
  // Strict, so that a step of another kind is noticed here and not left out.
  mainSteps: z.tuple([
    z.strictObject({
      name: z.string(),
      action: z.literal('aws:invokeLambdaFunction'),
      timeoutSeconds: z.int().max(300),
      maxAttempts: z.literal(1),
      onFailure: z.literal('Abort'),
      isEnd: z.literal(true),
      inputs: z.strictObject({
        FunctionName: z.string(),
        InvocationType: z.literal('RequestResponse'),
        InputPayload: z.record(z.string(), z.string()),
      }),
    }),
  ]),
  outputs: z.array(z.string()).default([]),
});
type Runbook = z.infer<typeof Runbook>;

/** An execution as GetAutomationExecution has it, as far as anybody here reads it. */
export type LocalAutomation = {
  AutomationExecutionId: string;
  DocumentName: string;
  AutomationExecutionStatus: 'InProgress' | 'Success' | 'Failed' | 'Cancelled';
  ExecutedBy: string;
  Parameters: Record<string, string[]>;
  Outputs: Record<string, string[]>;
  FailureMessage?: string;
};

/**
 * Automation of Systems Manager: runbooks that invoke one function. Like the service it pastes parameters as text, and its patterns let a
 * line end pass at the very end, as `$` does in the regular expressions of many languages: what comes of that is for the function to refuse.
 */
export class LocalAutomations {
  /** ARN of whoever calls StartAutomationExecution: the service knows them by their signature. */
  caller = `arn:aws:iam::${account}:user/somebody`;
  readonly #documents: readonly TemplateDocument[];
  readonly #invoke: (name: string, payload: Json) => Promise<Json>;
  readonly #executions = new Map<string, LocalAutomation>();
  readonly #running = new Set<Promise<void>>();

  constructor(
    documents: readonly TemplateDocument[],
    invoke: (name: string, payload: Json) => Promise<Json>,
  ) {
    this.#documents = documents;
    this.#invoke = invoke;
  }

  operations(): Operations {
    return {
      StartAutomationExecution: (input) => ({ AutomationExecutionId: this.#start(input) }),
      GetAutomationExecution: ({ AutomationExecutionId }) => {
        const found = this.#executions.get(String(AutomationExecutionId));
        if (found === undefined) {
          throw new ServiceError(
            'AutomationExecutionNotFoundException',
            `Automation execution ${String(AutomationExecutionId)} was not found`,
          );
        }
        return { AutomationExecution: found };
      },
    };
  }

  /** Puts an execution there as if somebody had started it, for tests. */
  record(execution: LocalAutomation): void {
    this.#executions.set(execution.AutomationExecutionId, execution);
  }

  /** Waits until none goes on. */
  async close(): Promise<void> {
    await Promise.all(this.#running);
  }

  #start({ DocumentName, Parameters }: JsonObject): string {
    const name = String(DocumentName);
    const runbook = Runbook.safeParse(this.#documents.find((one) => one.name === name)?.content);
    if (!runbook.success) {
      throw new ServiceError(
        'AutomationDefinitionNotFoundException',
        `Automation document ${name} was not found, or is of a kind that is unknown here`,
      );
    }
    const given = isJsonObject(Parameters) ? Parameters : {};
    const parameters = checked(runbook.data, given);
    const execution: LocalAutomation = {
      AutomationExecutionId: randomUUID(),
      DocumentName: name,
      AutomationExecutionStatus: 'InProgress',
      ExecutedBy: this.caller,
      Parameters: Object.fromEntries(
        Object.entries(parameters).flatMap(([key, value]) => (key in given ? [[key, [value]]] : [])),
      ),
      Outputs: {},
    };
    this.record(execution);
    const run = this.#run(runbook.data, execution, parameters).finally(() => this.#running.delete(run));
    this.#running.add(run);
    return execution.AutomationExecutionId;
  }

  async #run(
    runbook: Runbook,
    execution: LocalAutomation,
    parameters: Record<string, string>,
  ): Promise<void> {
    const [{ name, inputs }] = runbook.mainSteps;
    const text = JSON.stringify(inputs).replace(
      /\{\{ ([\w:]+) \}\}/g,
      (whole, key: string) =>
        ({ ...parameters, 'automation:EXECUTION_ID': execution.AutomationExecutionId })[key] ?? whole,
    );
    try {
      const { FunctionName, InputPayload } = JSON.parse(text);
      const payload = JSON.stringify(await this.#invoke(FunctionName, InputPayload));
      execution.Outputs = Object.fromEntries(
        runbook.outputs.map((output) => [output, [output === `${name}.Payload` ? payload : '']]),
      );
      execution.AutomationExecutionStatus = 'Success';
    } catch (error) {
      const message = error instanceof TaskError ? error.message : String(error);
      execution.FailureMessage = `Step fails when it is Poll action status for completion. ${message}. Please refer to Automation Service Troubleshooting Guide for more diagnosis details.`;
      execution.AutomationExecutionStatus = 'Failed';
    }
  }
}

function checked({ parameters }: Runbook, given: JsonObject): Record<string, string> {
  const refuse = (text: string): never => {
    throw new ServiceError('InvalidAutomationExecutionParametersException', text);
  };
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(parameters, name)) refuse(`${name} is no parameter of the document`);
  }
  const entries = Object.entries(parameters).map(
    ([name, { default: usual, allowedPattern, allowedValues }]) => {
      const list = given[name] ?? (usual === undefined ? [] : [usual]);
      const [value, ...more] = Array.isArray(list) ? list.map(String) : [];
      if (value === undefined || more.length > 0) return refuse(`${name} takes one value`);
      if (allowedValues?.includes(value) === false) refuse(`${name} is none of ${allowedValues.join(', ')}`);
      const matches = (text: string): boolean => new RegExp(allowedPattern ?? '').test(text);
      if (!matches(value) && !matches(value.replace(/\n$/, '')))
        refuse(`${name} does not match ${allowedPattern}`);
      return [name, value] as const;
    },
  );
  return Object.fromEntries(entries);
}
