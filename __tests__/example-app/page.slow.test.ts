import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { startExample, type Example } from './start-example';
import { upToDateDist } from '../fixtures/up-to-date-dist';

const CHROMIUM = '/usr/bin/chromium';
const inBrowser = existsSync(CHROMIUM) ? describe : describe.skip;

inBrowser(`the page in a real browser (skipped where there is no ${CHROMIUM})`, () => {
  let example: Example;
  let browser: Browser | undefined;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    await upToDateDist();
    example = await startExample();
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    page = await browser.newPage();
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      // Chromium reports every 4xx and 5xx there; these are what the page is for.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        problems.push(message.text());
      }
    });
    await page.goto(example.url);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await example.stop('SIGTERM');
  });

  /** The row of a trouble, tried, and what both sides show of it. */
  async function tried(scene: string, name: string) {
    const row = page.locator(`[data-scene="${scene}"] .trouble`, {
      has: page.getByRole('heading', { name, exact: true }),
    });
    await row.getByRole('button').press('Enter');
    const results = ['ours', 'theirs'].map(async (side) => {
      const result = row.locator(`[data-side="${side}"]:is([data-verdict="honest"], [data-verdict="wrong"])`);
      return { text: await result.innerText(), verdict: await result.getAttribute('data-verdict') };
    });
    const [ours, theirs] = await Promise.all(results);
    return { ours: ours!, theirs: theirs! };
  }

  test('begins with the trouble that convinces, and with no empty box', async () => {
    const first = page.locator('.trouble').first();
    await expect(first.getByRole('heading').innerText()).resolves.toBe('You post an order');
    const borders = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.result')].map((box) => getComputedStyle(box).borderTopColor)",
    );
    expect(borders).toHaveLength(38); // 16 troubles and 3 experiments, two boxes each
    expect(new Set(borders)).toEqual(new Set(['rgba(0, 0, 0, 0)']));
  });

  test('shows 504 and the closed connection beside a snippet that never answers', async () => {
    const { ours, theirs } = await tried('handlers', 'It stalls');
    expect(ours.verdict).toBe('honest');
    expect(ours.text).toMatch(/504\s+Gateway Timeout\s+1,\d{3} ms/);
    expect(ours.text).toMatch(/the gateway closed its connection after [\d,]+ ms/);
    expect(theirs.verdict).toBe('wrong');
    expect(theirs.text).toMatch(/no answer\s+the page gave up/);
  });

  test('shows the order that was posted beside a snippet that aborts it', async () => {
    const { ours, theirs } = await tried('handlers', 'You post an order');
    expect(ours.text).toMatch(/201\s+Created/);
    expect(theirs).toMatchObject({ verdict: 'wrong', text: expect.stringMatching(/504\s+Gateway Timeout/) });
  });

  test('leaves after 300 ms and shows when the price service was let go', async () => {
    const { ours } = await tried('handlers', 'You leave');
    expect(ours.verdict).toBe('honest');
    expect(ours.text).toMatch(/the gateway closed its connection \d+ ms after the client had left/);
  });

  test('shows a broken answer beside a plain proxy that completes it', async () => {
    const { ours, theirs } = await tried('proxies', 'It cuts its answer');
    expect(ours).toMatchObject({
      verdict: 'honest',
      text: expect.stringMatching(/200\s+then the connection broke/),
    });
    expect(theirs).toMatchObject({ verdict: 'wrong', text: expect.stringContaining('Error occurred') });
  });

  test('restarts the price service and shows that no order failed', async () => {
    await page.getByRole('button', { name: 'Restart the price service' }).press('Enter');
    await expect(page.locator('[data-place="upstream"][data-verdict="honest"]').innerText()).resolves.toMatch(
      /0 failed\s+of \d+ orders/,
    );
  });

  test('counts after "Try all" how each side did', async () => {
    await page.locator('[data-scene="proxies"] [data-all]').press('Enter');
    const tally = page.locator('[data-scene="proxies"] .tally');
    await tally.waitFor();
    await expect(tally.innerText()).resolves.toBe(
      'Met honestly: with hangupProxy() 6 of 6, http-proxy-middleware as it is 1 of 6.',
    );
  });

  test('blames nobody for what happens while a gateway is killed', async () => {
    await page.getByRole('button', { name: 'Deploy without a drain' }).press('Enter');
    await page.locator('[data-place="killed"][data-verdict="waiting"]').waitFor();
    await page.getByRole('button', { name: 'Try: It stalls' }).first().press('Enter');
    const theirs = page
      .locator('[data-scene="handlers"] .trouble', { hasText: 'It stalls' })
      .locator('[data-side="theirs"][data-verdict="disturbed"]');
    await expect(theirs.innerText()).resolves.toContain('this result does not count');
    await page.locator('[data-place="killed"][data-verdict="wrong"]').waitFor();
  });

  test('announces results to those who cannot see them', async () => {
    await page.getByRole('button', { name: 'Try: All is well' }).press('Enter');
    const announced = page.locator('#announcement', { hasText: 'All is well' });
    await expect(announced.textContent()).resolves.toMatch(/with express-hangup: 200 OK after [\d,]+ ms/);
  });

  test('shows the source of a route where its name is opened', async () => {
    await page.getByText('The routes with express-hangup').press('Enter');
    const source = page.locator('[data-source="orders.mjs"] pre', { hasText: 'req.signal' });
    await expect(source.innerText()).resolves.toContain('deadline(false)');
  });

  test('shows an app before and after its repair', async () => {
    await page.getByRole('button', { name: 'Show the repair' }).press('Enter');
    await page.locator('#repair .diff').waitFor();
    await expect(page.locator('#repair .tally').innerText()).resolves.toBe(
      '5 repairs in 1 file, 0 left for you.',
    );
    await expect(page.locator('#repair .removed').first().innerText()).resolves.toContain('axios.get');
    await expect(page.locator('#repair .added', { hasText: 'axios' }).innerText()).resolves.toContain(
      'signal: req.signal',
    );
  });

  test('fits a phone, and turns dark with the system', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect(page.evaluate('document.documentElement.scrollWidth')).resolves.toBe(360);
    await expect(page.evaluate('getComputedStyle(document.body).backgroundColor')).resolves.toBe(
      'rgb(19, 20, 22)',
    );
  });

  test('has met no error of its own, and nothing that its content security policy refuses', () => {
    expect(problems).toEqual([]);
  });
});
