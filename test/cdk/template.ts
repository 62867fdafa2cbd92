import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { buildApp } from '../../cdk/build-app.ts';
import { readSettings } from '../../cdk/settings.ts';
import { isJsonObject, type Json, type JsonObject } from '../../local/engine/json.ts';

// What is in the bundles shows in the template only as hashes of assets, and costs seconds; bundles.test.ts looks at it.
vi.mock(import('../../cdk/constructs/bundles.ts'), () => ({
  bundleDirectory(name) {
    const directory = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-'));
    writeFileSync(join(directory, 'index.mjs'), name);
    return directory;
  },
}));

export type Resource = {
  Type: string;
  Properties: JsonObject;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
};
export type Template = { Resources: Record<string, Resource> };

/** The template of the app with these settings, or those of cdk.json, as the CDK CLI makes it, but for the code of the functions. */
export function synthesize(context?: unknown): Template {
  const outdir = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-'));
  try {
    // With the settings of cdk.json it is validated in synth.test.ts.
    const settings = context === undefined ? { validated: false } : { settings: readSettings(context) };
    return buildApp({ outdir, ...settings })
      .synth()
      .getStackByName('CgroupMedic').template;
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** All resources of a type, in the order of the template. */
export function resourcesOf(template: Template, type: string): Resource[] {
  return Object.values(template.Resources).filter((resource) => resource.Type === type);
}

/** The only resource of a type. */
export function onlyResource(template: Template, type: string): Resource {
  const [resource, ...more] = resourcesOf(template, type);
  if (resource === undefined || more.length > 0)
    throw new Error(`expected exactly one ${type} in the template`);
  return resource;
}

/** A function by the name that the app gives it. */
export function functionNamed(template: Template, name: string): Resource {
  const found = resourcesOf(template, 'AWS::Lambda::Function').find(
    ({ Properties }) => Properties.FunctionName === `CgroupMedic-${name}`,
  );
  if (found === undefined) throw new Error(`the template has no function ${name}`);
  return found;
}

/** The state machine, as Step Functions would get it. */
export function definitionOf(template: Template): JsonObject {
  const { Properties } = onlyResource(template, 'AWS::StepFunctions::StateMachine');
  const definition: Json = JSON.parse(String(render(template, Properties.DefinitionString ?? null)));
  if (!isJsonObject(definition)) throw new Error('the definition of the state machine is not an object');
  return definition;
}

const pseudoParameters: Record<string, string> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '000000000000',
};

/** Replaces intrinsics by readable text: `<StateTable.Arn>` for a reference, real ARNs for functions. */
export function render(template: Template, value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => render(template, item));
  if (!isJsonObject(value)) return value;
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value;
  if (typeof ref === 'string') return pseudoParameters[ref] ?? `<${readable(ref)}>`;
  if (Array.isArray(attribute)) return renderAttribute(template, String(attribute[0]), String(attribute[1]));
  if (Array.isArray(join)) {
    const parts = render(template, join[1] ?? null);
    return Array.isArray(parts) ? parts.join(String(join[0])) : parts;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, render(template, item)]));
}

function renderAttribute(template: Template, id: string, attribute: string): string {
  const resource = template.Resources[id];
  if (resource?.Type === 'AWS::Lambda::Function' && attribute === 'Arn') {
    return `arn:aws:lambda:us-east-1:000000000000:function:${String(resource.Properties.FunctionName)}`;
  }
  return `<${readable(id)}.${attribute}>`;
}

/** A logical id without the hash at its end. */
function readable(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}
