import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApprovalPages } from '../../local/approval-page/approval-pages.ts';
import { isInstalled } from '../ssm-documents/node-folder.ts';
import { launchChromium } from './chromium.ts';
import { contrasts, edgeContrasts } from './contrast.ts';
import { type Asked, hostile, sampleQuestion } from './sample-question.ts';

describe.skipIf(!isInstalled('chromium'))('the page in Chromium (skipped where it is not installed)', () => {
  let browser: Browser;
  let pages: ApprovalPages;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(() => {
    pages = new ApprovalPages();
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await pages.close();
  });

  type Visit = Asked & { page: Page; link: string; complaints: string[] };

  async function visit(
    asked: Parameters<typeof sampleQuestion>[0] = {},
    options: BrowserContextOptions = {},
  ): Promise<Visit> {
    const sample = sampleQuestion(asked);
    const link = await pages.open(sample.question);
    const page = await (await browser.newContext(options)).newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      // Browsers ask for an icon by themselves.
      if (message.type() === 'error' && !message.location().url.endsWith('favicon.ico'))
        complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(link);
    return { ...sample, page, link, complaints };
  }

  // What runs in the browser is text here: the types of a browser are not those of this project.
  const focused = (page: Page) =>
    page.evaluate<{ text: string; id: string; outline: string }>(`(() => {
      const { textContent: text, id } = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return { text, id, outline: outlineStyle + ' ' + outlineWidth };
    })()`);
  const canary = (page: Page) => page.evaluate<boolean>("'canary' in window");

  it.each([true, false])('approves by a click, with scripts: %s', async (javaScriptEnabled) => {
    const { page, given, complaints } = await visit({}, { javaScriptEnabled });
    await page.getByRole('button', { name: 'Approve' }).click();

    await page.getByText('approved by ana on the page').waitFor();
    expect(given).toEqual([{ decision: 'approve' }]);
    expect(await page.getByRole('button').count()).toBe(0);
    await page.reload();
    await page.getByText('approved by ana on the page').waitFor();
    expect(complaints).toEqual([]);
  });

  it.each([true, false])('denies with a reason only, with scripts: %s', async (javaScriptEnabled) => {
    const { page, given } = await visit({}, { javaScriptEnabled });
    await page.getByRole('button', { name: 'Deny' }).click();
    expect(await page.getByLabel('Reason for a denial').evaluate((one) => one.matches(':invalid'))).toBe(
      true,
    );
    expect(given).toEqual([]);
    await page.getByLabel('Reason for a denial').fill('a busy day');
    await page.getByRole('button', { name: 'Deny' }).click();

    await page.getByText('denied by ana on the page').waitFor();
    expect(given).toEqual([{ decision: 'deny', reason: 'a busy day' }]);
  });

  it('says why a decision is refused, keeps what was typed, and asks again', async () => {
    let refusals = 1;
    const { page } = await visit({ refuse: () => (refusals-- > 0 ? 'ana may not' : undefined) });
    await page.getByLabel('Reason for a denial').fill('a busy day');
    await page.getByRole('button', { name: 'Deny' }).click();
    expect(await page.getByRole('alert').textContent()).toBe('Not taken: ana may not.');
    expect(await page.getByLabel('Reason for a denial').inputValue()).toBe('a busy day');
    await page.getByRole('button', { name: 'Deny' }).click();

    await page.getByText('denied by ana').waitFor();
  });

  it('is used by the keyboard alone, and shows where one is', async () => {
    const { page, given } = await visit();
    const seen: string[] = [];
    const next = async () => {
      await page.keyboard.press('Tab');
      const { text, id, outline } = await focused(page);
      expect(outline).toBe('solid 3px');
      seen.push(id || text);
    };
    await next();
    await page.keyboard.press('Enter');
    await page.getByText('How we know:').waitFor();
    await next();
    await next();
    await page.keyboard.type('by keyboard');
    await next();
    await page.keyboard.press('Enter');

    await page.getByText('denied by ana').waitFor();
    expect(seen).toEqual(['Show evidence', 'Approve', 'reason', 'Deny']);
    expect(given).toEqual([{ decision: 'deny', reason: 'by keyboard' }]);
  });

  it('hides the evidence until it is asked for, without scripts as well', async () => {
    const { page } = await visit({}, { javaScriptEnabled: false });
    expect(await page.getByText('How we know:').isVisible()).toBe(false);
    await page.getByText('Show evidence').click();
    expect(await page.getByText('How we know:').isVisible()).toBe(true);
  });

  it('says that somebody decided at the terminal, and takes the buttons away', async () => {
    const { page, question } = await visit();
    await page.getByLabel('Reason for a denial').focus();
    await question.decide({ decision: 'approve' }, 'terminal');

    await page.getByText('approved by ana at the terminal').waitFor();
    expect(await page.getByRole('button').count()).toBe(0);
    expect(await focused(page)).toMatchObject({ id: 'status', outline: 'solid 3px' });
    expect(await page.title()).toContain('approved');
  });

  it('says that nobody decided in time, and by a reload without scripts', async () => {
    const [live, plain] = [await visit(), await visit({}, { javaScriptEnabled: false })];
    const expired = { status: 'expired', by: [], reason: 'nobody decided', at: 'noon' } as const;
    for (const { question } of [live, plain]) question.settle(expired);
    await live.page.getByText('This approval is expired, at noon: nobody decided').waitFor();
    await plain.page.reload();
    await plain.page.getByText('This approval is expired, at noon: nobody decided').waitFor();
  });

  it('says that the run has ended', async () => {
    const { page, over } = await visit();
    over.abort();
    await page.getByText('The run has ended').waitFor();
  });

  it('runs nothing that comes from the node', async () => {
    const { page, complaints } = await visit({ text: hostile });
    await page.getByText('Show evidence').click();
    await page.getByLabel('Reason for a denial').fill(hostile);
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByText('denied by ana').waitFor();

    expect(await canary(page)).toBe(false);
    expect(await page.locator('img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('would run no other script, even if one came in', async () => {
    const { page, link, complaints } = await visit();
    await page.route(link, async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace(
        '<main>',
        `<main><script>window.canary=1</script>${hostile}`,
      );
      await route.fulfill({ response, body });
    });
    await page.reload();
    await page.getByRole('main').waitFor();
    expect(await canary(page)).toBe(false);
    expect(complaints.join()).toContain('Content Security Policy');
  });

  it('takes no form from another origin', async () => {
    const { link, given, page } = await visit();
    await page.goto('about:blank');
    await page.setContent(
      `<form method="post" action="${link}decide"><button name="decision" value="approve">go</button></form>`,
    );
    const answered = page.waitForResponse((response) => response.url().endsWith('decide'));
    await page.getByText('go').click();

    expect((await answered).status()).toBe(403);
    expect(given).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'has a contrast of 4.5 or more in every text, and of 3 in every edge, %s',
    async (colorScheme) => {
      const { page } = await visit({ refuse: () => 'not you' }, { colorScheme });
      await page.getByLabel('Reason for a denial').fill('typed');
      await page.getByRole('button', { name: 'Deny' }).click();
      await page.getByRole('alert').waitFor();
      await page.getByText('Show evidence').click();
      const found = await contrasts(page);

      expect(found.length).toBeGreaterThan(20);
      expect(found.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
      const edges = await edgeContrasts(page);
      expect(edges.map(({ text }) => text)).toEqual(['what has the focus', 'BUTTON', 'TEXTAREA', 'BUTTON']);
      expect(edges.filter(({ ratio }) => ratio < 3)).toEqual([]);
      const back = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      expect(back).toBe(colorScheme === 'dark' ? 'rgb(20, 24, 27)' : 'rgb(255, 255, 255)');
    },
  );

  it.each([320, 1280])('fits a screen of %i pixels, with buttons that a finger hits', async (width) => {
    const { page } = await visit({ text: 'x'.repeat(500) }, { viewport: { width, height: 640 } });
    await page.getByText('Show evidence').click();

    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    for (const button of await page.getByRole('button').all()) {
      const { width: wide = 0, height = 0 } = (await button.boundingBox()) ?? {};
      expect(height).toBeGreaterThanOrEqual(44);
      expect(wide > 250).toBe(width === 320);
    }
    const [name, value] = [
      await page.locator('dt').first().boundingBox(),
      await page.locator('dd').first().boundingBox(),
    ];
    expect(name?.x === value?.x).toBe(width === 320);
  });

  it('names its language, landmark, headings and fields', async () => {
    const { page } = await visit();
    await page.getByText('Show evidence').click();

    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    expect(await page.getByRole('main').count()).toBe(1);
    const levels = await page.locator('h1, h2, h3').evaluateAll((all) => all.map(({ tagName }) => tagName));
    expect(levels).toEqual(['H1', 'H2', 'H2', 'H2', 'H2', 'H2', 'H2']);
    for (const name of [
      'What is asked',
      'All nodes that this decides on',
      'Tried before in this incident',
      'This node and its image before',
      'Evidence',
      'Decision',
    ])
      expect(await page.getByRole('region', { name }).count()).toBe(1);
    expect(await page.getByRole('textbox', { name: 'Reason for a denial (required)' }).count()).toBe(1);
  });

  it('moves nothing for whoever asks for reduced motion', async () => {
    const { page } = await visit({}, { reducedMotion: 'reduce' });
    const moving = await page.evaluate(`[...document.querySelectorAll('*')].filter((element) => {
      const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
      return transitionDuration !== '0s' || animationName !== 'none' || scrollBehavior === 'smooth';
    }).length`);
    expect(moving).toBe(0);
  });
});
