import { resolve } from 'node:path';
import { buildSync } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');

/** A call of an AWS service that a handler can come to: as an IAM action, and the module that makes it. */
export type Call = { action: string; module: string };

/** IAM's names of services, where they are not what the package of the client is called. */
const prefixes: Readonly<Record<string, string>> = {
  'cloudwatch-logs': 'logs',
  sfn: 'states',
  'secrets-manager': 'secretsmanager',
};
/** IAM's names of actions, where they are not what the API calls it. */
const actions: Readonly<Record<string, string>> = { 'lambda:Invoke': 'lambda:InvokeFunction' };

/**
 * The AWS calls of a handler, from its code: what is left of its modules once everything is thrown away that nothing
 * in them reaches, which is what is deployed. A command of the SDK that is constructed there is a call, and so is a call of `ec2Query`, `iamQuery` and `autoscalingQuery`.
 */
export function callsOf(handler: string): Call[] {
  const { outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: [`lambdas/handlers/${handler}.ts`],
    write: false,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'silent',
  });
  return callsIn(outputFiles[0]?.text ?? '');
}

/** @param code a bundle that is not minified: each module begins with a comment that names it */
export function callsIn(code: string): Call[] {
  const commands = new Map<string, string>();
  for (const [, names = '', service = ''] of code.matchAll(
    /^import\s*\{([^}]*)\}\s*from\s*"@aws-sdk\/client-([a-z0-9-]+)";/gm,
  )) {
    for (const [, name = '', local = name] of names.matchAll(/(\w+)Command(?: as (\w+))?/g)) {
      const action = `${prefixes[service] ?? service}:${name}`;
      commands.set(local === name ? `${name}Command` : local, actions[action] ?? action);
    }
  }
  const modules = code.split(/^\/\/ (?=lambdas\/)/m).slice(1);
  const calls = modules.flatMap((text) => {
    const module = text.slice(0, text.indexOf('\n'));
    const constructed = [...text.matchAll(/new (\w+)\(/g)].map(([, name = '']) => commands.get(name));
    const asked = [...text.matchAll(/\b(ec2|iam|autoscaling)Query\(\s*"(\w+)"/g)].map(
      ([, service, name]) => `${service}:${name}`,
    );
    return [...constructed, ...asked].flatMap((action) => (action === undefined ? [] : [{ action, module }]));
  });
  const unique = new Map(calls.map((call) => [JSON.stringify(call), call]));
  return [...unique.values()];
}
