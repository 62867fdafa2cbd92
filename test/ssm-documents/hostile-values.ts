const words = ['kubelet', 'alice', 'true', '300', ''];
const odd = [
  ...'$`"\'\\;|&<>(){}[]*?!~#%^=+,@:/ -._\t\n\r\u0007\u001b\u007f',
  '$(touch CANARY)',
  '`touch CANARY`',
  '; touch CANARY #',
  '\ntouch CANARY\n',
  "'; touch CANARY; '",
  '"; touch CANARY; "',
  'a[$(touch CANARY)]',
  `$\{IFS}`,
  '{{ x }}',
  '../..',
  '/etc/passwd',
  '--help',
  '-rf',
  '%s%n',
  '\\x2d',
  '\\0',
  '\u202e',
  '\u0435',
  '\u{1f600}',
  '\ufeff',
  '\u00a0',
  'é',
  '\\',
  'x'.repeat(300),
  'y'.repeat(5000),
];

/** At least 1,000 values that nobody means well with; those that run something touch the file `canary`. */
export function hostileValues(canary: string): string[] {
  const values = new Set<string>();
  for (const word of words) {
    for (const text of odd) {
      for (const value of [
        `${text}${word}`,
        `${word}${text}`,
        `${word}${text}${word}`,
        `${text}${word}${text}`,
      ]) {
        values.add(value.replaceAll('CANARY', canary));
      }
    }
  }
  return [...values];
}
