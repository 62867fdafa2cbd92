/** Powers by which a suffix of a Kubernetes quantity multiplies. */
const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a Kubernetes quantity such as `128Mi`, `1500m` or `2e3` stands for; `undefined` for anything else. */
export function quantity(text: string | undefined): number | undefined {
  const [, digits = '', suffix = ''] =
    /^(\d+(?:\.\d*)?|\.\d+)([A-Za-z]{0,2}|[eE][+-]?\d+)$/.exec(text ?? '') ?? [];
  if (digits === '') return undefined;
  if (/^[eE][+-]?\d+$/.test(suffix)) return Number(digits + suffix);
  const power = Object.hasOwn(suffixes, suffix) ? suffixes[suffix] : undefined;
  return power === undefined ? undefined : Number(digits) * power;
}

/** Bytes as whole KiB. */
export function kibOf(bytes: number): number {
  return whole(bytes / 1024);
}

/** A whole number, or the largest that is told apart from the next: a limit may be any figure that its author has thought of. */
export function whole(value: number): number {
  return Math.min(Math.round(value), Number.MAX_SAFE_INTEGER);
}
