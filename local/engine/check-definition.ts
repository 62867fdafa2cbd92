import { isJsonObject, type Json, type JsonObject } from './json.ts';

/** Raised for a state machine of which this engine cannot promise that it behaves as in AWS. */
export class UnsupportedDefinitionError extends Error {
  override readonly name = 'UnsupportedDefinitionError';
}

export const waitForTaskToken = 'lambda:invoke.waitForTaskToken';
const lambdaArn = /^arn:[^:]+:lambda:[^:]*:\d{12}:function:[^:]+$/;
const tokenResource = /^arn:[^:]+:states:::lambda:invoke\.waitForTaskToken$/;
const knownContext =
  /^\$\$\.(Execution\.(Id|Name|StartTime|Input(\..+)?)|StateMachine\.(Id|Name)|Task\.Token)$/;
const knownTypes = ['Task', 'Choice', 'Wait', 'Pass', 'Succeed', 'Fail'];

/**
 * Refuses what the interpreter does not know, or does differently from AWS, before anything runs.
 *
 * @throws UnsupportedDefinitionError that names every state and the reason
 */
export function checkDefinition(definition: JsonObject): void {
  const problems: string[] = [];
  if (definition.QueryLanguage !== undefined && definition.QueryLanguage !== 'JSONPath') {
    problems.push(`the query language is ${String(definition.QueryLanguage)}; only JSONPath runs here`);
  }
  const states = isJsonObject(definition.States) ? definition.States : {};
  for (const [name, state] of Object.entries(states)) {
    const reasons = isJsonObject(state) ? problemsOf(state) : ['it is not an object'];
    problems.push(...reasons.map((reason) => `state "${name}": ${reason}`));
  }
  if (problems.length > 0) {
    throw new UnsupportedDefinitionError(
      `the local engine cannot run this state machine:\n  ${problems.join('\n  ')}`,
    );
  }
}

function problemsOf(state: JsonObject): string[] {
  const problems: string[] = [];
  const type = String(state.Type);
  if (!knownTypes.includes(type)) problems.push(`it is a ${type} state, which does not run here`);
  const jsonata = ['QueryLanguage', 'Arguments', 'Output', 'Assign'].filter((field) => field in state);
  if (jsonata.length > 0) problems.push(`${jsonata.join(', ')}: JSONata does not run here`);
  if (type === 'Task') {
    const resource = String(state.Resource);
    if (!lambdaArn.test(resource) && !tokenResource.test(resource)) {
      problems.push(`the integration ${resource} is unknown here`);
    }
    if (state.TimeoutSeconds === undefined && state.TimeoutSecondsPath === undefined) {
      problems.push('it has no timeout; AWS would wait for ever and the interpreter for 60 seconds');
    }
    const heartbeat = ['HeartbeatSeconds', 'HeartbeatSecondsPath'].filter((field) => field in state);
    if (heartbeat.length > 0) problems.push(`${heartbeat.join(', ')}: heartbeats do not run here`);
  }
  for (const path of contextPaths(state)) {
    if (!knownContext.test(path)) problems.push(`${path} is not in the context object here`);
  }
  return problems;
}

function contextPaths(value: Json): string[] {
  if (typeof value === 'string') return value.match(/\$\$[\w.[\]'"]*/g) ?? [];
  if (Array.isArray(value)) return value.flatMap(contextPaths);
  if (isJsonObject(value)) return Object.values(value).flatMap(contextPaths);
  return [];
}
