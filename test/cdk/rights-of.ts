import { isJsonObject, type Json, type JsonObject } from '../../local/engine/json.ts';
import { render, resourcesOf, type Template } from './template.ts';

/** One statement of a policy, for one action and one resource. `not` says that the resource is what it does not speak of. */
export type Right = { effect: string; action: string; resource: string; not: boolean; condition: string };

/** Everything that the policies in the template say of a role. */
export function statementsFor(template: Template, role: Json): Right[] {
  const roleName = String(render(template, role)).replace(/^<|\.Arn>$/g, '');
  return resourcesOf(template, 'AWS::IAM::Policy')
    .filter(({ Properties }) => list(render(template, Properties.Roles ?? [])).includes(`<${roleName}>`))
    .flatMap(({ Properties }) => statementsOf(template, Properties.PolicyDocument))
    .flatMap(({ Effect, Action, Resource, NotResource, Condition }) =>
      list(Action).flatMap((action) =>
        list(Resource ?? NotResource).map((resource) => ({
          effect: String(Effect),
          action: String(action),
          resource: String(resource),
          not: NotResource !== undefined,
          condition: Condition === undefined ? '' : JSON.stringify(Condition),
        })),
      ),
    );
}

/** What a role may do, one line per action and resource: `ACTION on RESOURCE [if CONDITION]`. */
export function rightsOf(template: Template, role: Json): string[] {
  return statementsFor(template, role)
    .filter(({ effect }) => effect === 'Allow')
    .map(
      ({ action, resource, condition }) =>
        `${action} on ${resource}${condition === '' ? '' : ` if ${condition}`}`,
    )
    .sort();
}

export function statementsOf(template: Template, policy: Json | undefined): JsonObject[] {
  const rendered = render(template, policy ?? null);
  return isJsonObject(rendered) ? list(rendered.Statement).filter((item) => isJsonObject(item)) : [];
}

export function list(value: Json | undefined): Json[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
