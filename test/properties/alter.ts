/** How one thing in a value becomes another one: `own-proto` gives it a field that is really called `__proto__`. */
export const ways = ['replace', 'remove', 'add', 'own-proto'] as const;

/** Changes one thing in a parsed JSON value, however deep, in place; `where` chooses which. */
export function alter(whole: unknown, where: number, how: (typeof ways)[number], value: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, unknown>, key]);
      walk((node as Record<string, unknown>)[key]);
    }
  };
  walk(whole);
  const [parent, key] = places[where % places.length] ?? [{}, ''];
  if (how === 'remove') delete parent[key];
  else if (how === 'add') parent[`${key}x`] = value;
  else if (how === 'replace') parent[key] = value;
  else
    Object.defineProperty(parent, '__proto__', {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}
