import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from './json.ts';

/** Raised for something in a template that this engine does not know and needs. */
export class UnsupportedTemplateError extends Error {
  override readonly name = 'UnsupportedTemplateError';
}

export const account = '000000000000';
export const region = 'us-east-1';

export type Resource = { Type: string; Properties: JsonObject };

/** How CloudFormation would name a resource of one type: what `Ref` gives, and the attributes of `Fn::GetAtt`. */
type Naming = {
  ref: (name: string) => string;
  /** Property that sets the name, where the type has one. */
  nameProperty?: string;
  attributes?: Record<string, (name: string) => string>;
};

const arn = (service: string, rest: string): string => `arn:aws:${service}:${region}:${account}:${rest}`;
const same = (name: string): string => name;

const namings: Record<string, Naming> = {
  'AWS::Lambda::Function': {
    ref: same,
    nameProperty: 'FunctionName',
    attributes: { Arn: (name) => arn('lambda', `function:${name}`) },
  },
  'AWS::StepFunctions::StateMachine': {
    ref: (name) => arn('states', `stateMachine:${name}`),
    nameProperty: 'StateMachineName',
    attributes: { Arn: (name) => arn('states', `stateMachine:${name}`), Name: same },
  },
  'AWS::DynamoDB::Table': {
    ref: same,
    nameProperty: 'TableName',
    attributes: { Arn: (name) => arn('dynamodb', `table/${name}`) },
  },
  'AWS::SSM::Document': { ref: same, nameProperty: 'Name' },
  'AWS::SSM::Parameter': { ref: same, nameProperty: 'Name' },
  'AWS::SNS::Topic': {
    ref: (name) => arn('sns', name),
    nameProperty: 'TopicName',
    attributes: { TopicArn: (name) => arn('sns', name), TopicName: same },
  },
  'AWS::Logs::LogGroup': {
    ref: same,
    nameProperty: 'LogGroupName',
    attributes: { Arn: (name) => arn('logs', `log-group:${name}:*`) },
  },
  'AWS::KMS::Key': {
    ref: uuidOf,
    attributes: { Arn: (name) => arn('kms', `key/${uuidOf(name)}`), KeyId: uuidOf },
  },
  'AWS::SQS::Queue': {
    ref: (name) => `https://sqs.${region}.amazonaws.com/${account}/${name}`,
    nameProperty: 'QueueName',
    attributes: { Arn: (name) => arn('sqs', name), QueueName: same },
  },
  'AWS::SecretsManager::Secret': {
    ref: (name) => arn('secretsmanager', `secret:${name}-AbCdEf`),
    nameProperty: 'Name',
  },
  'AWS::Lambda::EventSourceMapping': { ref: uuidOf },
  'AWS::Lambda::Url': {
    ref: same,
    attributes: {
      FunctionUrl: (name) => `https://${uuidOf(name).replaceAll('-', '')}.lambda-url.${region}.on.aws/`,
    },
  },
  'AWS::SNS::Subscription': { ref: (name) => arn('sns', name) },
  'AWS::IAM::Role': {
    ref: same,
    nameProperty: 'RoleName',
    attributes: { Arn: (name) => `arn:aws:iam::${account}:role/${name}` },
  },
  'AWS::IAM::ManagedPolicy': {
    ref: (name) => `arn:aws:iam::${account}:policy/${name}`,
    nameProperty: 'ManagedPolicyName',
  },
  'AWS::Events::Rule': {
    ref: same,
    nameProperty: 'Name',
    attributes: { Arn: (name) => arn('events', `rule/${name}`) },
  },
};

/** Resolves the intrinsic functions of one template against stable made-up physical ids. */
export class Intrinsics {
  readonly #resources: Record<string, Resource>;
  readonly #stack: string;

  constructor(resources: Record<string, Resource>, stack: string) {
    this.#resources = resources;
    this.#stack = stack;
  }

  /** The physical name of a resource: its own, or one made of stack and logical id. */
  nameOf(logicalId: string): string {
    const resource = this.#resource(logicalId);
    const { nameProperty } = this.#naming(logicalId, resource);
    const own = nameProperty === undefined ? undefined : resource.Properties[nameProperty];
    if (own === undefined) return `${this.#stack}-${logicalId}`;
    const name = this.resolve(own);
    if (typeof name !== 'string')
      throw new UnsupportedTemplateError(`the name of resource ${logicalId} is not text`);
    return name;
  }

  ref(logicalId: string): string {
    const pseudo = this.#pseudo(logicalId);
    if (pseudo !== undefined) return pseudo;
    return this.#naming(logicalId, this.#resource(logicalId)).ref(this.nameOf(logicalId));
  }

  attribute(logicalId: string, attribute: string): string {
    const resource = this.#resource(logicalId);
    const make = this.#naming(logicalId, resource).attributes?.[attribute];
    if (make === undefined) {
      throw new UnsupportedTemplateError(
        `attribute ${attribute} of ${resource.Type} (${logicalId}) is unknown here: add it to local/engine/intrinsics.ts`,
      );
    }
    return make(this.nameOf(logicalId));
  }

  /** The value with every intrinsic function in it replaced; the input stays as it is. */
  resolve(value: Json): Json {
    if (Array.isArray(value)) return value.map((item) => this.resolve(item));
    if (!isJsonObject(value)) return value;
    const [key] = Object.keys(value);
    const argument = key === undefined ? undefined : value[key];
    if (Object.keys(value).length === 1 && key !== undefined && argument !== undefined) {
      if (key === 'Ref') return this.ref(String(argument));
      if (key.startsWith('Fn::')) return this.#call(key, argument);
    }
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.resolve(item)]));
  }

  #call(name: string, argument: Json): Json {
    switch (name) {
      case 'Fn::GetAtt': {
        const [logicalId, attribute] =
          typeof argument === 'string' ? argument.split(/\.(.*)/s) : asList(name, argument);
        return this.attribute(String(logicalId), String(attribute));
      }
      case 'Fn::Join': {
        const [separator, items] = asList(name, argument);
        return asList(name, this.resolve(items ?? null)).join(String(separator));
      }
      case 'Fn::Select': {
        const [index, items] = asList(name, argument);
        const picked = asList(name, this.resolve(items ?? null))[Number(index)];
        if (picked === undefined)
          throw new UnsupportedTemplateError(`Fn::Select: there is no item ${String(index)}`);
        return picked;
      }
      case 'Fn::Split': {
        const [separator, text] = asList(name, argument);
        return String(this.resolve(text ?? null)).split(String(separator));
      }
      case 'Fn::Sub':
        return this.#substitute(argument);
      default:
        throw new UnsupportedTemplateError(
          `${name} is unknown here: add it to local/engine/intrinsics.ts, or do without it in the stack`,
        );
    }
  }

  #substitute(argument: Json): string {
    const [text, variables] = typeof argument === 'string' ? [argument, {}] : asList('Fn::Sub', argument);
    const own = isJsonObject(variables) ? variables : {};
    return String(text).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal === '!') return `\${${name}}`;
      const variable = own[name];
      if (variable !== undefined) return String(this.resolve(variable));
      const [logicalId, attribute] = name.split(/\.(.*)/s);
      return attribute === undefined ? this.ref(name) : this.attribute(String(logicalId), attribute);
    });
  }

  #pseudo(name: string): string | undefined {
    const pseudo: Record<string, string> = {
      'AWS::AccountId': account,
      'AWS::Region': region,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': this.#stack,
      'AWS::StackId': arn('cloudformation', `stack/${this.#stack}/${uuidOf(this.#stack)}`),
    };
    return pseudo[name];
  }

  #resource(logicalId: string): Resource {
    const resource = this.#resources[logicalId];
    if (resource === undefined) {
      throw new UnsupportedTemplateError(
        `the template refers to "${logicalId}", which is no resource and no pseudo parameter known here`,
      );
    }
    return resource;
  }

  #naming(logicalId: string, { Type }: Resource): Naming {
    const naming = namings[Type];
    if (naming === undefined) {
      throw new UnsupportedTemplateError(
        `resources of type ${Type} (${logicalId}) are unknown here: add the type to local/engine/intrinsics.ts`,
      );
    }
    return naming;
  }
}

function asList(name: string, value: Json): Json[] {
  if (!Array.isArray(value)) throw new UnsupportedTemplateError(`${name} takes a list here`);
  return value;
}

/** A key id that is the same in every run. */
function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
