import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { Intrinsics, type Resource, UnsupportedTemplateError } from './intrinsics.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';

export type TemplateFunction = {
  logicalId: string;
  name: string;
  arn: string;
  handler: string;
  environment: Record<string, string>;
  timeoutSeconds: number;
  memoryMb: number;
  logGroup: string;
  /** The directory that would be deployed: `index.mjs` and what belongs to it. */
  directory: string;
};
export type TemplateStateMachine = { logicalId: string; name: string; arn: string; definition: JsonObject };
export type TemplateDocument = { logicalId: string; name: string; content: JsonObject };
export type TemplateTable = {
  logicalId: string;
  name: string;
  keySchema: { AttributeName: string; KeyType: string }[];
  attributes: { AttributeName: string; AttributeType: string }[];
};
export type TemplateParameter = { logicalId: string; name: string; type: string; value: string };
export type TemplateRule = {
  logicalId: string;
  name: string;
  arn: string;
  enabled: boolean;
  pattern: JsonObject;
  targets: string[];
};
export type TemplateQueue = {
  logicalId: string;
  url: string;
  arn: string;
  /** Where a message goes that was taken out as often without being done with. */
  deadLetters?: { url: string; afterReceives: number };
};
export type TemplateKey = { logicalId: string; id: string; arn: string; spec: string };

/** What the one-machine engine runs of a synthesized stack. Nothing in it is edited, only references are resolved. */
export type StackTemplate = {
  name: string;
  stateMachines: TemplateStateMachine[];
  functions: TemplateFunction[];
  documents: TemplateDocument[];
  tables: TemplateTable[];
  parameters: TemplateParameter[];
  rules: TemplateRule[];
  topics: { logicalId: string; arn: string }[];
  queues: TemplateQueue[];
  /** Functions that read queues. */
  eventSources: { function: string; queueArn: string; batchSize: number }[];
  /** Queues that have subscribed to topics. */
  subscriptions: { topicArn: string; queueArn: string; raw: boolean }[];
  secrets: { logicalId: string; arn: string }[];
  logGroups: { logicalId: string; name: string }[];
  keys: TemplateKey[];
  /** Outputs of the stack, by name. */
  outputs: Record<string, string>;
};

const AssetManifest = z.object({
  files: z.record(z.string(), z.object({ source: z.object({ path: z.string(), packaging: z.string() }) })),
});

const Template = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.json()).default({}),
    }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.json() })).default({}),
});

/** Reads one stack out of the directory that `cdk synth` wrote. */
export function readStack(assembly: string, stack: string): StackTemplate {
  const { Resources, Outputs } = Template.parse(readJson(assembly, `${stack}.template.json`));
  const { files } = AssetManifest.parse(readJson(assembly, `${stack}.assets.json`));
  const assets = Object.fromEntries(
    Object.entries(files).map(([hash, { source }]) => [hash, join(assembly, source.path)]),
  );
  return stackOf(Resources, stack, assets, Outputs);
}

/**
 * Takes what the engine runs out of the resources of a template.
 *
 * @param assets the directory of each asset, by its hash
 */
export function stackOf(
  resources: Record<string, Resource>,
  stack: string,
  assets: Record<string, string>,
  outputs: Record<string, { Value: Json }> = {},
): StackTemplate {
  const intrinsics = new Intrinsics(resources, stack);
  const each = <T>(
    type: string,
    read: (base: { logicalId: string; name: string }, properties: JsonObject) => T,
  ): T[] =>
    Object.entries(resources)
      .filter(([, { Type }]) => Type === type)
      .map(([logicalId, { Properties }]) =>
        read({ logicalId, name: intrinsics.nameOf(logicalId) }, Properties),
      );
  const resolved = (value: Json | undefined): Json => intrinsics.resolve(value ?? null);
  const text = (value: Json | undefined): string => String(resolved(value));

  return {
    name: stack,
    stateMachines: each('AWS::StepFunctions::StateMachine', (base, properties) => ({
      ...base,
      arn: intrinsics.attribute(base.logicalId, 'Arn'),
      definition: definitionOf(base.logicalId, properties, resolved),
    })),
    functions: each('AWS::Lambda::Function', (base, properties) => ({
      ...base,
      arn: intrinsics.attribute(base.logicalId, 'Arn'),
      handler: text(properties.Handler),
      environment: environmentOf(properties, resolved),
      timeoutSeconds: Number(properties.Timeout ?? 3),
      memoryMb: Number(properties.MemorySize ?? 128),
      logGroup: isJsonObject(properties.LoggingConfig)
        ? text(properties.LoggingConfig.LogGroup)
        : `/aws/lambda/${base.name}`,
      directory: directoryOf(base.logicalId, properties, assets, resolved),
    })),
    documents: each('AWS::SSM::Document', (base, properties) => {
      const content = resolved(properties.Content);
      if (!isJsonObject(content)) {
        throw new UnsupportedTemplateError(`the content of document ${base.logicalId} is not an object`);
      }
      return { ...base, content };
    }),
    tables: each('AWS::DynamoDB::Table', (base, properties) => ({
      ...base,
      keySchema: resolved(properties.KeySchema) as TemplateTable['keySchema'],
      attributes: resolved(properties.AttributeDefinitions) as TemplateTable['attributes'],
    })),
    parameters: each('AWS::SSM::Parameter', (base, properties) => ({
      ...base,
      type: text(properties.Type),
      value: text(properties.Value),
    })),
    rules: each('AWS::Events::Rule', (base, properties) => ({
      ...base,
      arn: intrinsics.attribute(base.logicalId, 'Arn'),
      enabled: properties.State !== 'DISABLED',
      pattern: patternOf(base.logicalId, resolved(properties.EventPattern)),
      targets: targetsOf(resolved(properties.Targets)),
    })),
    topics: each('AWS::SNS::Topic', ({ logicalId }) => ({ logicalId, arn: intrinsics.ref(logicalId) })),
    queues: queuesOf(
      each('AWS::SQS::Queue', ({ logicalId }, properties) => ({
        logicalId,
        url: intrinsics.ref(logicalId),
        arn: intrinsics.attribute(logicalId, 'Arn'),
        redrive: resolved(properties.RedrivePolicy),
      })),
    ),
    eventSources: each('AWS::Lambda::EventSourceMapping', (_, properties) => ({
      function: text(properties.FunctionName),
      queueArn: text(properties.EventSourceArn),
      batchSize: Number(properties.BatchSize ?? 10),
    })),
    subscriptions: each('AWS::SNS::Subscription', (_, properties) => ({
      protocol: text(properties.Protocol),
      topicArn: text(properties.TopicArn),
      queueArn: text(properties.Endpoint),
      raw: properties.RawMessageDelivery === true,
    })).flatMap(({ protocol, ...subscription }) => (protocol === 'sqs' ? [subscription] : [])),
    secrets: each('AWS::SecretsManager::Secret', ({ logicalId }) => ({
      logicalId,
      arn: intrinsics.ref(logicalId),
    })),
    logGroups: each('AWS::Logs::LogGroup', (base) => base),
    keys: each('AWS::KMS::Key', ({ logicalId }, properties) => ({
      logicalId,
      id: intrinsics.ref(logicalId),
      arn: intrinsics.attribute(logicalId, 'Arn'),
      spec: text(properties.KeySpec ?? 'SYMMETRIC_DEFAULT'),
    })),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { Value }]) => [name, text(Value)])),
  };
}

type Resolve = (value: Json | undefined) => Json;

function queuesOf(
  queues: readonly { logicalId: string; url: string; arn: string; redrive: Json }[],
): TemplateQueue[] {
  return queues.map(({ redrive, ...queue }) => {
    const { deadLetterTargetArn, maxReceiveCount } = isJsonObject(redrive) ? redrive : {};
    const url = queues.find(({ arn }) => arn === deadLetterTargetArn)?.url;
    return url === undefined
      ? queue
      : { ...queue, deadLetters: { url, afterReceives: Number(maxReceiveCount) } };
  });
}

function definitionOf(logicalId: string, properties: JsonObject, resolved: Resolve): JsonObject {
  if (properties.DefinitionString === undefined) {
    throw new UnsupportedTemplateError(
      `state machine ${logicalId} has no DefinitionString; other forms are unknown here`,
    );
  }
  return JSON.parse(String(resolved(properties.DefinitionString)));
}

function environmentOf({ Environment }: JsonObject, resolved: Resolve): Record<string, string> {
  const variables = isJsonObject(Environment) ? resolved(Environment.Variables) : {};
  return Object.fromEntries(
    Object.entries(isJsonObject(variables) ? variables : {}).map(([k, v]) => [k, String(v)]),
  );
}

function directoryOf(
  logicalId: string,
  { Code }: JsonObject,
  assets: Record<string, string>,
  resolved: Resolve,
): string {
  const key = isJsonObject(Code) ? resolved(Code.S3Key) : null;
  const directory = typeof key === 'string' ? assets[key.replace(/\.zip$/, '')] : undefined;
  if (directory === undefined) {
    throw new UnsupportedTemplateError(
      `the code of function ${logicalId} is not a directory of this assembly; inline code and images are unknown here`,
    );
  }
  return directory;
}

function patternOf(logicalId: string, pattern: Json): JsonObject {
  if (!isJsonObject(pattern)) {
    throw new UnsupportedTemplateError(`rule ${logicalId} has no event pattern; schedules are unknown here`);
  }
  return pattern;
}

function targetsOf(targets: Json): string[] {
  return (Array.isArray(targets) ? targets : []).map((target) => {
    if (!isJsonObject(target) || typeof target.Arn !== 'string') {
      throw new UnsupportedTemplateError('a rule has a target without an ARN');
    }
    const shaped = ['Input', 'InputPath', 'InputTransformer'].filter((field) => field in target);
    if (shaped.length > 0) {
      throw new UnsupportedTemplateError(
        `the target ${target.Arn} has ${shaped.join(', ')}, which is unknown here`,
      );
    }
    return target.Arn;
  });
}

function readJson(assembly: string, file: string): unknown {
  return JSON.parse(readFileSync(join(assembly, file), 'utf8'));
}
