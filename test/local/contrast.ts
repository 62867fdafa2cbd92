import type { Page } from 'playwright-core';

export type TextContrast = { text: string; ratio: number };

/** Runs in the browser, whose types the rest of this project does not have. */
const measure = `(() => {
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
  return [...document.querySelectorAll('body *')].flatMap((element) => {
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const text = own.map((node) => node.textContent.trim()).join('') + (element.value ?? '');
    if (!element.checkVisibility() || text === '') return [];
    const [one, other] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    return [{ text: (element.tagName + ': ' + text).slice(0, 60), ratio }];
  });
})()`;

/** The contrast of every text on a page with what is behind it, by WCAG 2, from the styles that the browser computed. */
export function contrasts(page: Page): Promise<TextContrast[]> {
  return page.evaluate<TextContrast[]>(measure);
}
