/** What is compared of a version: its numbers, and whether it comes before the release with those numbers. */
type Version = { numbers: number[]; before: boolean };

/**
 * The leading numbers of a version, whatever a distribution has added: `v1.33.4-eksbuild.2`, `5.15.0-1028-aws` and
 * `1.1.12-0ubuntu1` are 1.33.4, 5.15.0 and 1.1.12. A release candidate, alpha or beta comes before its release; no other
 * addition changes the order. `undefined` for what does not begin with a version.
 */
function parse(text: string): Version | undefined {
  const [, digits, rest = ''] = /^\s*v?(\d{1,9}(?:\.\d{1,9}){0,5})(?!\d)(.*)$/s.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return { numbers: digits.split('.').map(Number), before: /^[-.~+]?(alpha|beta|rc)/i.test(rest) };
}

/**
 * Whether a version is older than another one; missing numbers are zeros. `undefined` where one of the two is not known
 * or cannot be read: that is not "it is not older".
 */
export function isOlder(version: string | null | undefined, than: string): boolean | undefined {
  const a = parse(version ?? '');
  const b = parse(than);
  if (a === undefined || b === undefined) return undefined;
  const length = Math.max(a.numbers.length, b.numbers.length);
  for (let place = 0; place < length; place++) {
    const difference = (a.numbers[place] ?? 0) - (b.numbers[place] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return a.before && !b.before;
}

/** Whether a version is `from` or younger, and older than `until`. */
export function isWithin(
  version: string | null | undefined,
  from: string,
  until: string,
): boolean | undefined {
  const tooOld = isOlder(version, from);
  const oldEnough = isOlder(version, until);
  return tooOld === undefined || oldEnough === undefined ? undefined : !tooOld && oldEnough;
}
