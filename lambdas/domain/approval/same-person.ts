/**
 * Whether two names may be one person's: nobody approves what they asked for by hand, by whichever door they come. Who asked is known by
 * the unique id that AWS has for them, `ROLE-ID:SESSION` where they use a role (IAM Identity Center names the session after its user); who decides
 * may be known by an ARN that ends with the same session, or by the name alone. A session name is not unique, so two people may be taken for one:
 * then somebody else has to decide. An IAM user's unique id says no name, and a door that knows users by other names has to ask IAM for it.
 */
export function mayBeSamePerson(one: string, other: string): boolean {
  return nameIn(one) === nameIn(other);
}

function nameIn(identity: string): string {
  return (identity.trim().toLowerCase().split(/[:/]/).at(-1) ?? '').normalize('NFKC');
}
