/** Markup. Whatever is put into it is escaped, unless it is markup itself. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  /** Markup from the source code of this project, never from data. */
  static trusted(markup: string): Html {
    return new Html(markup);
  }

  toString(): string {
    return this.#markup;
  }
}

type Value = Html | string | number;

/** A template that escapes its values, inside elements and inside quoted attributes. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  const parts = strings.map((text, index) => {
    const value = values[index];
    return value === undefined ? text : `${text}${value instanceof Html ? value : escaped(String(value))}`;
  });
  return Html.trusted(parts.join(''));
}

export function join(parts: readonly Html[]): Html {
  return Html.trusted(parts.map(String).join('\n'));
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
