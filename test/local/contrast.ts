import type { Page } from 'playwright-core';

export type TextContrast = { text: string; ratio: number };

/** Runs in the browser, whose types the rest of this project does not have. */
const helpers = `
  const parse = (text) => {
    const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\\d.]+/g) ?? []).map(Number);
    return [r, g, b, a];
  };
  const luminance = ([r, g, b]) => {
    const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const behind = (element) => {
    if (element === null) throw new Error('a text stands on nothing');
    const color = parse(getComputedStyle(element).backgroundColor);
    if (color[3] === 1) return color;
    if (color[3] !== 0) throw new Error('a background is half transparent');
    return behind(element.parentElement);
  };
  const ratioOf = (color, back) => {
    const [one, other] = [luminance(parse(color)), luminance(back)];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  };
`;

const ofTexts = `(() => {${helpers}
  return [...document.querySelectorAll('body *')].flatMap((element) => {
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const text = own.map((node) => node.textContent.trim()).join('') + (element.value ?? '');
    if (!element.checkVisibility() || text === '') return [];
    const ratio = ratioOf(getComputedStyle(element).color, behind(element));
    return [{ text: (element.tagName + ': ' + text).slice(0, 60), ratio }];
  });
})()`;

const ofEdges = `(() => {${helpers}
  const focused = document.querySelector('textarea');
  focused.focus();
  const { outlineColor } = getComputedStyle(focused);
  return [
    { text: 'what has the focus', ratio: ratioOf(outlineColor, behind(focused.parentElement)) },
    ...[...document.querySelectorAll('textarea, button')].map((element) => ({
      text: element.tagName,
      ratio: ratioOf(getComputedStyle(element).borderTopColor, behind(element.parentElement)),
    })),
  ];
})()`;

/** The contrast of every text on a page with what is behind it, by WCAG 2, from the styles that the browser computed. */
export function contrasts(page: Page): Promise<TextContrast[]> {
  return page.evaluate<TextContrast[]>(ofTexts);
}

/** The same of the lines by which one sees where the fields and buttons are, and which one has the focus. */
export function edgeContrasts(page: Page): Promise<TextContrast[]> {
  return page.evaluate<TextContrast[]>(ofEdges);
}
