import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isJsonObject, type Json, type JsonObject } from '../engine/json.ts';
import type { TemplateDocument, TemplateParameter } from '../engine/template.ts';
import type { RecordedAround } from '../node/recorded-around.ts';
import { type AgentDocument, checkParameters, type DocumentResult } from '../node/ssm-agent.ts';
import { jsonService, type Operations, type Service, ServiceError } from './wire.ts';

/** The service keeps no more of a command's output. */
const outputLimits = { stdout: 24_000, stderr: 8_000 };
/** A command that was just sent is not visible yet. */
const invisibleMs = 200;

/** A node that the service can reach. */
export interface ManagedNode {
  readonly instanceId: string;
  /** Runs a document as the node's agent does. */
  run(
    content: AgentDocument,
    parameters: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Pick<DocumentResult, 'status' | 'responseCode' | 'stdout' | 'stderr'>>;
  /** Tags of the instance. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Whether the agent takes commands at all; if not, none is ever delivered. @default true */
  readonly online?: boolean;
  /** The private DNS name that EC2 has for it. @default the name of its node, where one was recorded */
  readonly privateDnsName?: string;
  /** Whether the agent has ever told the service of itself; if not, there is an instance, and no managed node. @default true */
  readonly registered?: boolean;
  /** The machine image of the instance. @default one of zeros */
  readonly imageId?: string;
  /** Its availability zone. @default the first of the region */
  readonly zone?: string;
  /** When the instance was launched. @default an hour ago */
  readonly launchedAt?: Date;
  /** What is known around it, where that was recorded. */
  readonly around?: RecordedAround;
}

type StoredDocument = { content: AgentDocument; text: string; hash: string; version: string };
/** A command on one of its nodes. All of one command have its id. */
type Command = {
  id: string;
  instanceId: string;
  documentName: string;
  documentVersion: string;
  sentAt: number;
  status: string;
  details: string;
  responseCode: number;
  stdout: string;
  stderr: string;
  abort: AbortController;
};

export interface SsmProps {
  readonly documents: readonly TemplateDocument[];
  readonly parameters: readonly TemplateParameter[];
}

/** SSM: documents and parameters of the template, and commands that run on the nodes attached to it. */
export class LocalSsm {
  readonly #documents = new Map<string, StoredDocument>();
  readonly #parameters = new Map<string, { value: string; type: string; version: number }>();
  readonly #nodes = new Map<string, ManagedNode>();
  /** By id: one for each node. */
  readonly #commands = new Map<string, Command[]>();
  readonly #running = new Set<Promise<void>>();

  constructor({ documents, parameters }: SsmProps) {
    for (const { name, content } of documents) this.putDocument(name, content);
    for (const { name, type, value } of parameters) this.#parameters.set(name, { value, type, version: 1 });
  }

  attach(node: ManagedNode): void {
    this.#nodes.set(node.instanceId, node);
  }

  detach(instanceId: string): void {
    this.#nodes.delete(instanceId);
  }

  /** The nodes that are attached now. */
  get nodes(): ManagedNode[] {
    return [...this.#nodes.values()];
  }

  /** Creates a document, or a new default version of it. */
  putDocument(name: string, content: JsonObject): void {
    const text = JSON.stringify(content);
    const version = String(Number(this.#documents.get(name)?.version ?? 0) + 1);
    const hash = createHash('sha256').update(text).digest('hex');
    this.#documents.set(name, { content: content as unknown as AgentDocument, text, hash, version });
  }

  putParameter(name: string, value: string): void {
    const { type = 'String', version = 0 } = this.#parameters.get(name) ?? {};
    this.#parameters.set(name, { value, type, version: version + 1 });
  }

  /** Ends every command that still runs and waits until none does. */
  async close(): Promise<void> {
    for (const { abort } of [...this.#commands.values()].flat()) abort.abort();
    await Promise.all(this.#running);
  }

  /** @param more calls of other parts of the service */
  service(more: Operations = {}): Service {
    return jsonService(
      { name: 'ssm', file: 'local/cloud/ssm.ts' },
      {
        GetDocument: (input) => this.#getDocument(input),
        DescribeDocument: (input) => this.#describeDocument(input),
        GetParameter: (input) => this.#getParameter(input),
        SendCommand: (input) => this.#sendCommand(input),
        GetCommandInvocation: (input) => this.#getCommandInvocation(input),
        ListCommands: (input) => this.#listCommands(input),
        ListCommandInvocations: (input) => this.#listCommandInvocations(input),
        CancelCommand: (input) => this.#cancelCommand(input),
        ...more,
      },
    );
  }

  #document(name: Json | undefined, version: Json | undefined): StoredDocument {
    const document = this.#documents.get(String(name));
    if (document === undefined)
      throw new ServiceError('InvalidDocument', `Document with name ${String(name)} does not exist.`);
    const known = ['$DEFAULT', '$LATEST', document.version];
    if (version !== undefined && !known.includes(String(version))) {
      throw new ServiceError(
        'InvalidDocumentVersion',
        `Version ${String(version)} of document ${String(name)} does not exist.`,
      );
    }
    return document;
  }

  #getDocument({ Name, DocumentVersion, DocumentFormat }: JsonObject): JsonObject {
    const { text, version } = this.#document(Name, DocumentVersion);
    if (DocumentFormat !== undefined && DocumentFormat !== 'JSON') {
      throw new ServiceError(
        'ValidationException',
        `the format ${String(DocumentFormat)} is unknown here; ask for JSON`,
      );
    }
    return {
      Name: String(Name),
      DocumentVersion: version,
      Status: 'Active',
      Content: text,
      DocumentType: 'Command',
      DocumentFormat: 'JSON',
    };
  }

  #describeDocument({ Name, DocumentVersion }: JsonObject): JsonObject {
    const { hash, version } = this.#document(Name, DocumentVersion);
    return {
      Document: {
        Name: String(Name),
        DocumentVersion: version,
        DefaultVersion: version,
        LatestVersion: version,
        Hash: hash,
        HashType: 'Sha256',
        Status: 'Active',
        DocumentType: 'Command',
        DocumentFormat: 'JSON',
        SchemaVersion: '2.2',
      },
    };
  }

  #getParameter({ Name }: JsonObject): JsonObject {
    const parameter = this.#parameters.get(String(Name));
    if (parameter === undefined)
      throw new ServiceError('ParameterNotFound', `parameter ${String(Name)} does not exist`);
    const { value, type, version } = parameter;
    return {
      Parameter: { Name: String(Name), Type: type, Value: value, Version: version, DataType: 'text' },
    };
  }

  #sendCommand(input: JsonObject): JsonObject {
    const { DocumentName, DocumentVersion, DocumentHash, TimeoutSeconds } = input;
    const document = this.#document(DocumentName, DocumentVersion);
    if (DocumentHash !== undefined && DocumentHash !== document.hash) {
      throw new ServiceError(
        'InvalidDocument',
        `The hash of document ${String(DocumentName)} does not match the one given.`,
      );
    }
    const deliverySeconds = Number(TimeoutSeconds ?? 3600);
    if (deliverySeconds < 30 || deliverySeconds > 2_592_000) {
      throw new ServiceError(
        'ValidationException',
        `timeoutSeconds ${deliverySeconds} is not between 30 and 2592000`,
      );
    }
    const nodes = this.#targets(input);
    const parameters = this.#checked(document.content, input);
    const [id, sentAt] = [randomUUID(), Date.now()];
    const commands = nodes.map(
      ({ instanceId }): Command => ({
        id,
        instanceId,
        documentName: String(DocumentName),
        documentVersion: document.version,
        sentAt,
        status: 'Pending',
        details: 'Pending',
        responseCode: -1,
        stdout: '',
        stderr: '',
        abort: new AbortController(),
      }),
    );
    this.#commands.set(id, commands);
    const waiting = commands.flatMap((command, index) => {
      const node = nodes[index];
      return node === undefined ? [] : [{ command, node }];
    });
    const most = nodes.length;
    const mayFail = rateOf(input.MaxErrors, most) ?? 0;
    let failed = 0;
    const lane = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { command, node } = next;
        // One error more than that, and nobody else is asked.
        if (failed > mayFail || command.abort.signal.aborted) end(command, 'Cancelled', 'Terminated');
        else await this.#deliver(command, node, document.content, parameters, deliverySeconds);
        if (['Failed', 'TimedOut'].includes(command.status)) failed += 1;
      }
    };
    for (let lanes = Math.min(most, rateOf(input.MaxConcurrency, most) ?? 50); lanes > 0; lanes -= 1) {
      const run = lane().finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
    return {
      Command: {
        CommandId: id,
        DocumentName: String(DocumentName),
        DocumentVersion: document.version,
        InstanceIds: Array.isArray(input.InstanceIds) ? input.InstanceIds : [],
        RequestedDateTime: sentAt / 1000,
        Status: 'Pending',
        StatusDetails: 'Pending',
        TimeoutSeconds: deliverySeconds,
      },
    };
  }

  /** One instance by its id, which has to be there; or all managed nodes with a tag, which may be none. */
  #targets({ InstanceIds, Targets, MaxErrors, MaxConcurrency }: JsonObject): ManagedNode[] {
    const managed = this.nodes.filter(({ registered }) => registered !== false);
    if (Array.isArray(Targets) && InstanceIds === undefined) {
      const [target, ...others] = Targets.filter(isJsonObject);
      const [, key] = /^tag:(.+)$/.exec(String(target?.Key)) ?? [];
      if (target === undefined || key === undefined || others.length > 0)
        throw new ServiceError('InvalidTarget', 'one target by tag is known here; see local/cloud/ssm.ts');
      for (const [name, value] of Object.entries({ MaxErrors, MaxConcurrency })) {
        if (value !== undefined && !/^([1-9][0-9]*|0|[1-9][0-9]?%|100%)$/.test(String(value)))
          throw new ServiceError('ValidationException', `${name} is "${String(value)}"`);
      }
      const wanted = Array.isArray(target.Values) ? target.Values.map(String) : [];
      return managed.filter(({ tags = {} }) => wanted.includes(tags[key] ?? ''));
    }
    const [instanceId, ...others] = Array.isArray(InstanceIds) ? InstanceIds.map(String) : [];
    const node = managed.find((one) => one.instanceId === instanceId);
    if (node === undefined || others.length > 0) {
      throw new ServiceError(
        'InvalidInstanceId',
        `Instances [[${String(InstanceIds)}]] not in a valid state for account`,
      );
    }
    return [node];
  }

  #checked(content: AgentDocument, { Parameters }: JsonObject): Record<string, string> {
    const given = isJsonObject(Parameters) ? Object.entries(Parameters) : [];
    const values = given.map(([name, value]) => {
      const list = Array.isArray(value) ? value : [value];
      if (list.length !== 1)
        throw new ServiceError('InvalidParameters', `parameter "${name}" takes one value`);
      return [name, String(list[0])] as const;
    });
    try {
      return checkParameters(content, Object.fromEntries(values));
    } catch (error) {
      throw new ServiceError('InvalidParameters', error instanceof Error ? error.message : String(error));
    }
  }

  async #deliver(
    command: Command,
    node: ManagedNode,
    content: AgentDocument,
    parameters: Record<string, string>,
    deliverySeconds: number,
  ): Promise<void> {
    const { signal } = command.abort;
    if (node.online === false) {
      const waited = sleep(deliverySeconds * 1000, 'late' as const, { signal, ref: false }).catch(
        () => 'aborted' as const,
      );
      return (await waited) === 'late'
        ? end(command, 'TimedOut', 'Delivery Timed Out')
        : end(command, 'Cancelled', 'Cancelled');
    }
    Object.assign(command, { status: 'InProgress', details: 'InProgress' });
    const result = await node.run(content, parameters, signal).catch((error: unknown) => ({
      status: 'Failed' as const,
      responseCode: 1,
      stdout: '',
      stderr: error instanceof Error ? error.message : String(error),
    }));
    Object.assign(command, {
      responseCode: result.responseCode,
      stdout: result.stdout.slice(0, outputLimits.stdout),
      stderr: result.stderr.slice(0, outputLimits.stderr),
    });
    end(command, result.status, result.status === 'TimedOut' ? 'Execution Timed Out' : result.status);
  }

  #getCommandInvocation({ CommandId, InstanceId, PluginName }: JsonObject): JsonObject {
    const command = this.#commands
      .get(String(CommandId))
      ?.find(({ instanceId }) => instanceId === InstanceId);
    if (command === undefined || isInvisible(command))
      throw new ServiceError('InvocationDoesNotExist', 'An error occurred: InvocationDoesNotExist');
    const steps = this.#documents.get(command.documentName)?.content.mainSteps ?? [];
    const [step] = steps;
    if (PluginName === undefined ? steps.length > 1 : !steps.some(({ name }) => name === PluginName)) {
      throw new ServiceError(
        'InvalidPluginName',
        'a document with several steps is asked about by PluginName',
      );
    }
    return {
      CommandId: command.id,
      InstanceId: command.instanceId,
      DocumentName: command.documentName,
      DocumentVersion: command.documentVersion,
      PluginName: typeof PluginName === 'string' ? PluginName : (step?.name ?? ''),
      Status: command.status,
      StatusDetails: command.details,
      ResponseCode: command.responseCode,
      StandardOutputContent: command.stdout,
      StandardErrorContent: command.stderr,
    };
  }

  /** How a whole command stands. */
  #listCommands({ CommandId }: JsonObject): JsonObject {
    const commands = this.#commands.get(String(CommandId)) ?? [];
    const [first] = commands;
    const running = commands.filter(isRunning);
    const status = running.length > 0 ? 'InProgress' : 'Success';
    const known = this.#commands.has(String(CommandId)) && (first === undefined || !isInvisible(first));
    if (!known) return { Commands: [] };
    return {
      Commands: [
        {
          CommandId: String(CommandId),
          Status: status,
          StatusDetails: first === undefined ? 'NoInstancesInTag' : status,
          TargetCount: commands.length,
          CompletedCount: commands.length - running.length,
        },
      ],
    };
  }

  /** Pages of at most 50, without any output: what the service adds of it with Details is cut after 2,500 characters. */
  #listCommandInvocations({ CommandId, MaxResults, NextToken, Details }: JsonObject): JsonObject {
    if (Details === true)
      throw new ServiceError('ValidationException', 'details are unknown here; see local/cloud/ssm.ts');
    const commands = (this.#commands.get(String(CommandId)) ?? []).filter((one) => !isInvisible(one));
    const size = Math.min(Number(MaxResults ?? 50), 50);
    const from = Number(NextToken ?? 0);
    const page = commands.slice(from, from + size);
    return {
      CommandInvocations: page.map(({ id, instanceId, status, details }) => ({
        CommandId: id,
        InstanceId: instanceId,
        Status: status,
        StatusDetails: details,
      })),
      ...(from + size < commands.length ? { NextToken: String(from + size) } : {}),
    };
  }

  #cancelCommand({ CommandId, InstanceIds }: JsonObject): JsonObject {
    const commands = this.#commands.get(String(CommandId));
    if (commands === undefined)
      throw new ServiceError('InvalidCommandId', `command ${String(CommandId)} does not exist`);
    const named = Array.isArray(InstanceIds) ? InstanceIds.map(String) : undefined;
    for (const command of commands) {
      if (named !== undefined && !named.includes(command.instanceId)) continue;
      if (!isRunning(command) || command.status === 'Cancelling') continue;
      Object.assign(command, { status: 'Cancelling', details: 'Cancelling' });
      command.abort.abort();
    }
    return {};
  }
}

/** A number of nodes, or a percentage of them. */
function rateOf(rate: Json | undefined, nodes: number): number | undefined {
  if (rate === undefined) return undefined;
  const text = String(rate);
  return text.endsWith('%') ? Math.ceil((nodes * Number(text.slice(0, -1))) / 100) : Number(text);
}

function isInvisible({ sentAt }: Command): boolean {
  return Date.now() < sentAt + invisibleMs;
}

function isRunning({ status }: Command): boolean {
  return ['Pending', 'InProgress', 'Cancelling'].includes(status);
}

function end(command: Command, status: string, details: string): void {
  Object.assign(command, { status, details });
}
