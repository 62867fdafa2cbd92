/** Slack takes 3,000 characters in the text of a section. */
const longestSection = 2900;

/**
 * Text from nodes and people as Slack shows it: nothing in it is markup, and nobody is mentioned by it.
 * https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The same inside of a line of code, where a backtick would end it. */
export function code(text: string): string {
  return `\`${escaped(text).replaceAll('`', "'").replaceAll('\n', ' ')}\``;
}

/** A moment as each reader's own clock shows it, with the UTC for where it cannot be. */
export function moment(iso: string): string {
  const seconds = Math.floor(Date.parse(iso) / 1000);
  return `<!date^${seconds}^{date_short_pretty} {time_secs}|${escaped(iso)}>`;
}

/**
 * Lines in as few pieces as Slack takes, each short enough for one section.
 *
 * @returns at most `most` pieces; what is beyond them is counted in the last
 */
export function pieces(lines: readonly string[], most: number): string[] {
  const all: string[] = [];
  let piece = '';
  for (const [index, line] of lines.entries()) {
    const cut = line.length > longestSection ? `${line.slice(0, longestSection - 1)}…` : line;
    if (piece !== '' && piece.length + 1 + cut.length > longestSection) {
      all.push(piece);
      piece = '';
      if (all.length === most) {
        const more = `… and ${lines.length - index} lines more: the audit trail has all`;
        const last = all[most - 1] ?? '';
        all[most - 1] = `${last.slice(0, longestSection - more.length - 1)}\n${more}`;
        return all;
      }
    }
    piece = piece === '' ? cut : `${piece}\n${cut}`;
  }
  return piece === '' ? all : [...all, piece];
}
