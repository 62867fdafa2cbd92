/** What stands in the place of something that looked like a secret. */
export const removed = '[removed: looked like a secret]';

/**
 * Forms that secrets have by their makers: nothing else looks like them. The name in front stays, so that a reader sees what was
 * there. Values of hashes and ids are none of these.
 */
const forms: readonly RegExp[] = [
  /** The header that HTTP clients print. */
  /\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:(?:basic|bearer|digest|negotiate|aws4-hmac-sha256)\s+)?)[^\s"',;[][^\s"']*/gi,
  /\b(bearer\s+)[a-z0-9._~+/-]{8,}=*/gi,
  /** `password=…`, `api-key: …`, `--token …=`; not a word that merely follows one. */
  /(?<![a-z0-9])((?:pass(?:word|wd)?|pwd|secret(?:[-_]?(?:access)?[-_]?key)?|(?:access|auth|api|session|security|refresh|id)?[-_]?token|api[-_]?key|client[-_]?secret|private[-_]?key)["']?\s?[=:]\s?["']?)[^\s"',;&[][^\s"',;&]{5,}/gi,
  /** Access keys of AWS, and what signs a presigned address. */
  /()\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g,
  /(X-Amz-(?:Signature|Security-Token|Credential)=)[^\s&"'[]+/gi,
  /** JSON Web Tokens; tokens of EKS, of Slack and of GitHub. */
  /()\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /()\bk8s-aws-v1\.[\w-]+/g,
  /()\bxox[a-z]-[\w-]{8,}/g,
  /()\bgh[a-z]_\w{20,}/g,
  /()-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /** The user and the password of an address. */
  /(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@:]{1,256}:[^\s/@]{1,256}(?=@)/gi,
];

/** A text in which what has the form of a secret is replaced. A secret that looks like any other word stays. */
export function withoutSecrets(text: string): string {
  return forms.reduce((rest, form) => rest.replace(form, `$1${removed}`), text);
}

/** The same of every text in a value, however deep. */
export function cleaned<T>(value: T): T {
  if (typeof value === 'string') return withoutSecrets(value) as T;
  if (Array.isArray(value)) return value.map(cleaned) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cleaned(item)])) as T;
}
