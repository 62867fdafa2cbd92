import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Card } from '../../lambdas/domain/approval/card.ts';
import { ApprovalPages } from '../../local/approval-page/approval-pages.ts';
import { hostile, sampleQuestion } from './sample-question.ts';

let pages: ApprovalPages;
beforeEach(() => {
  pages = new ApprovalPages();
});
afterEach(() => pages.close());

type Answer = { status: number; headers: IncomingHttpHeaders; body: string };

/** Sends exactly these headers, as a program may; a browser would not let a page choose them. */
function send(url: string, { body, ...options }: RequestOptions & { body?: string } = {}): Promise<Answer> {
  return new Promise((done, fail) => {
    const sent = request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        done({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    sent.on('error', fail).end(body);
  });
}

function post(link: string, form: Record<string, string>, headers: Record<string, string> = {}) {
  return send(`${link}decide`, {
    method: 'POST',
    headers: {
      origin: new URL(link).origin,
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    },
    body: String(new URLSearchParams(form)),
  });
}

describe('the link of an approval page', () => {
  it('leads to this machine only, and has 256 random bits that are other ones each time', async () => {
    const links = await Promise.all([0, 1].map(() => pages.open(sampleQuestion().question)));

    for (const link of links) expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}\/$/);
    expect(links[0]).not.toBe(links[1]);
  });

  it('with another token is not found, in the words of any other address', async () => {
    const link = await pages.open(sampleQuestion().question);
    const { origin, pathname } = new URL(link);
    const wrong = pathname.replace(/.\/$/, (end) => (end === 'A/' ? 'B/' : 'A/'));
    const answers = await Promise.all(
      [wrong, '/', '/favicon.ico', `${wrong}state`, '/a/b/c/', `${pathname}other`].map((path) =>
        send(`${origin}${path}`),
      ),
    );

    for (const { status, body } of answers) expect([status, body]).toEqual([404, 'Not found.\n']);
  });

  it('is spent by a decision: a second one changes nothing, and a visit says what was decided', async () => {
    const { question, given } = sampleQuestion();
    const link = await pages.open(question);

    expect(await post(link, { decision: 'approve' })).toMatchObject({
      status: 303,
      headers: { location: './' },
    });
    const second = await post(link, { decision: 'deny', reason: 'no' });
    expect(second.status).toBe(409);
    expect(second.body).toContain('already approved');
    expect(given).toEqual([{ decision: 'approve' }]);
    const visit = await send(link);
    expect(visit.body).toContain('This approval is approved by ana on the page');
    expect(visit.body).not.toContain('<form');
  });

  it('takes a double click as one decision, and says nothing against it', async () => {
    const { question, given } = sampleQuestion();
    const link = await pages.open(question);
    const answers = await Promise.all([0, 1].map(() => post(link, { decision: 'approve' })));

    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    expect(given).toHaveLength(1);
  });

  it('decides nothing after the run', async () => {
    const { question, given, over } = sampleQuestion();
    const link = await pages.open(question);
    over.abort();
    const { status, body } = await post(link, { decision: 'approve' });

    expect(status).toBe(409);
    expect(body).toContain('The run has ended');
    expect(body).not.toContain('<form');
    expect(given).toEqual([]);
  });

  it('decides nothing by being visited', async () => {
    const { question, given } = sampleQuestion();
    const link = await pages.open(question);

    expect((await send(`${link}?decision=approve`)).status).toBe(404);
    expect((await send(`${link}decide?decision=approve`)).status).toBe(404);
    expect((await send(`${link}decide`, { method: 'HEAD' })).status).toBe(404);
    expect((await send(link)).status).toBe(200);
    expect(given).toEqual([]);
  });
});

describe('a request to an approval page from elsewhere', () => {
  it.each([
    ['a foreign origin', 403, { origin: 'http://evil.example' }],
    ['an origin that nobody may know', 403, { origin: 'null' }],
    ['another port of this machine', 403, { origin: 'http://127.0.0.1:1' }],
    ['another site, by what the browser says', 403, { 'sec-fetch-site': 'cross-site' }],
    ['a script that sends JSON', 415, { 'content-type': 'application/json' }],
    ['a form of plain text', 415, { 'content-type': 'text/plain' }],
  ])('%s is refused with %i', async (_, status, headers) => {
    const { question, given } = sampleQuestion();
    const link = await pages.open(question);

    const answer = await post(link, { decision: 'approve' }, headers as unknown as Record<string, string>);
    expect([answer.status, answer.body]).toEqual([status, 'Refused.\n']);
    expect(given).toEqual([]);
  });

  it('without an origin, or by another method, is refused', async () => {
    const { question, given } = sampleQuestion();
    const link = await pages.open(question);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };

    const nameless = await send(`${link}decide`, { method: 'POST', headers, body: 'decision=approve' });
    expect(nameless.status).toBe(403);
    expect((await send(`${link}decide`, { method: 'PUT' })).status).toBe(405);
    expect(given).toEqual([]);
  });

  it('does not see the page by a foreign host, nor read its state by a foreign origin', async () => {
    const { question, given } = sampleQuestion();
    const link = await pages.open(question);

    const names = ['evil.example', `evil.example:${new URL(link).port}`, `localhost:${new URL(link).port}`];
    for (const host of names) {
      const { status, body } = await send(link, { headers: { host } });
      expect(status).toBe(403);
      expect(body).toMatch(
        /^Refused: this page answers only at the address that was printed. .* the same port/,
      );
      expect((await post(link, { decision: 'approve' }, { host })).status).toBe(403);
    }
    expect(given).toEqual([]);
    expect((await send(`${link}state`, { headers: { origin: 'http://evil.example' } })).status).toBe(403);
  });
});

describe('an answer of an approval page', () => {
  it('is kept nowhere, fits in no frame, and gets nothing from elsewhere', async () => {
    const { headers, body } = await send(await pages.open(sampleQuestion().question));

    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
    });
    const policy = headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(body).not.toMatch(/(src|href)=/);
  });

  it('escapes what the node says, and shows no control characters', async () => {
    const { body } = await send(await pages.open(sampleQuestion({ text: hostile }).question));

    expect(body).toContain('&lt;img src=x onerror=&quot;window.canary=1&quot;&gt;');
    expect(body).not.toMatch(/<img|<script>window/);
    expect(body).not.toContain('\u001b');
    expect(body).not.toContain('\u202e');
  });

  it('escapes the reason that was typed', async () => {
    const { question } = sampleQuestion({ refuse: () => `not you ${hostile}` });
    const { status, body } = await post(await pages.open(question), { decision: 'deny', reason: hostile });

    expect(status).toBe(422);
    expect(body).toContain('Not taken: not you &lt;img');
    expect(body).not.toMatch(/<img|<script>window/);
  });

  it('says why a decision is refused, and asks again', async () => {
    const { question, given } = sampleQuestion();
    const link = await pages.open(question);
    const refused = await post(link, { decision: 'deny', reason: '  ' });

    expect(refused.status).toBe(422);
    expect(refused.body).toContain('a denial needs a reason');
    expect(refused.body).toContain('<form');
    expect((await post(link, { decision: 'maybe' })).status).toBe(400);
    expect((await post(link, { decision: 'deny', reason: 'busy\r\nday' })).status).toBe(303);
    expect(given.at(-1)).toEqual({ decision: 'deny', reason: 'busy\nday' });
  });

  it('says that nobody knows of a decision that broke off, keeps what was typed, and takes it again', async () => {
    let failures = 1;
    const { question } = sampleQuestion({
      refuse: () => {
        if (failures-- > 0) throw new Error(`the function died ${hostile}`);
        return undefined;
      },
    });
    const link = await pages.open(question);
    const broken = await post(link, { decision: 'deny', reason: 'a busy day' });

    expect(broken.status).toBe(500);
    expect(broken.body).toContain('It is not known whether this was recorded: the function died &lt;img');
    expect(broken.body).toContain('>a busy day</textarea>');
    expect((await post(link, { decision: 'deny', reason: 'a busy day' })).status).toBe(303);
  });

  it('shows all that is on the card', async () => {
    const { question } = sampleQuestion();
    const { card } = question.request;
    const all = Object.assign(card, {
      arguments: { Slices: 'these slices' },
      ...{
        reason: 'this reason',
        asks: 'this gate',
        budget: 'this budget',
        expects: 'this effect',
        undo: 'this-undo',
      },
      ...{ requestedBy: 'somebody', approvers: ['@oncall'], quorum: 2 },
      ...{ tried: ['this was tried'], history: ['this was before'], why: ['one', 'two', 'a finding'] },
    });
    const { body } = await send(await pages.open(question));

    // An incident on one machine has no other door, and when it was asked is now.
    const elsewhere = ['version', 'decideAt', 'createdAt'];
    expect(Object.keys(all).sort()).toEqual(
      Object.keys(Card.shape)
        .filter((name) => name !== 'decideAt')
        .sort(),
    );
    for (const [name, value] of Object.entries(all)) {
      if (elsewhere.includes(name)) continue;
      for (const text of [value].flat())
        expect(body).toContain(typeof text === 'object' ? '<dt>Slices</dt><dd>these slices</dd>' : `${text}`);
    }
  });

  it('leaves out what the card does not have', async () => {
    const { question } = sampleQuestion();
    Object.assign(question.request.card, {
      tried: [],
      history: undefined,
      asks: undefined,
      budget: undefined,
      undo: null,
    });
    const { body } = await send(await pages.open(question));

    expect(body).not.toMatch(/Tried before|image before|asked because|budget|may decide|undefined/);
    expect(body).toContain('<dt>undo</dt><dd>It cannot be undone.</dd>');
  });

  it('says that others of a quorum are needed', async () => {
    const { question } = sampleQuestion({ quorum: 2 });
    const { body } = await post(await pages.open(question), { decision: 'approve' });

    expect(body).toContain('Recorded: 1 of 2.');
  });

  it('to a form that is too long is a refusal', async () => {
    const { question, given } = sampleQuestion();
    const link = await pages.open(question);

    for (const length of [20_000, 5_000_000])
      expect((await post(link, { decision: 'deny', reason: 'x'.repeat(length) })).status).toBe(413);
    expect(given).toEqual([]);
  });

  it('comes to whoever waits for the end, even as the run ends', async () => {
    const { question } = sampleQuestion();
    const state = send(`${await pages.open(question)}state`);
    await sleep(100);
    question.settle({ status: 'expired', by: [], reason: 'nobody decided', at: '2026-11-28T12:00:00.000Z' });
    await pages.close();

    expect(JSON.parse((await state).body)).toEqual({
      open: false,
      text: 'This approval is expired, at 2026-11-28T12:00:00.000Z: nobody decided',
    });
  });
});
