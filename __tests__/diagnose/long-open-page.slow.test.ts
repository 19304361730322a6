import express, { type Express } from 'express';
import type { BrowserContext, CDPSession, Page } from 'playwright-core';
import { diagnose, type Diagnosis } from 'express-hangup/diagnose';
import { channels } from '../../src/events';
import { gate, serve } from '../fixtures/serve';
import { inBrowser, startChromium } from './chromium';
import { until } from './until';

/** How many reports the page draws while its memory is watched; thousands take minutes. */
const REPORTS = Number(process.env['HANGUP_REPORTS'] ?? 200);

inBrowser('a page that stays open', () => {
  let browser: BrowserContext;
  let stopBrowser: () => Promise<void>;
  let diagnosis: Diagnosis;
  let app: Express;
  let page: Page;
  let url: string;
  let devtools: CDPSession;
  /** How often the report was asked for, how many questions are open, and how many were open at most. */
  let asked: { count: number; open: number; most: number };
  /** The page's questions wait for it. */
  let held: Promise<void>;

  beforeAll(async () => {
    ({ browser, stop: stopBrowser } = await startChromium());
  });

  afterAll(() => stopBrowser());

  beforeEach(async () => {
    diagnosis = diagnose();
    asked = { count: 0, open: 0, most: 0 };
    held = Promise.resolve();
    app = express();
    app.use('/_hangup/report.json', async (_req, res, next) => {
      asked.count++;
      asked.most = Math.max(asked.most, ++asked.open);
      res.on('close', () => asked.open--);
      await held;
      next();
    });
    app.use('/_hangup', diagnosis.page);
    ({ url } = await serve(app));
    page = await browser.newPage();
    devtools = await browser.newCDPSession(page);
  });

  afterEach(async () => {
    await page.close();
    diagnosis.stop();
  });

  async function open(): Promise<void> {
    await page.clock.install();
    await page.goto(`${url}/_hangup`);
    await page.waitForSelector('#status.live');
  }

  /** Opens the page, and holds back the answer to the next question, which it has asked. */
  async function openUnanswered(): Promise<{ open: () => void }> {
    await open();
    const answers = gate();
    held = answers.promise;
    const before = asked.count;
    while (asked.count === before) await page.clock.runFor(1000);
    return answers;
  }

  /** What the browser holds for the page, after a garbage collection. */
  async function sizes(): Promise<Record<string, number>> {
    for (let round = 0; round < 3; round++) await devtools.send('HeapProfiler.collectGarbage');
    const { metrics } = await devtools.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  }

  it('needs no more memory after hundreds of reports that all differ', async () => {
    // The page's interval is short here; all else is as it is.
    await page.addInitScript(
      `{ const later = setTimeout; window.setTimeout = (act, ms, ...rest) => later(act, ms === 1000 ? 0 : ms, ...rest); }`,
    );
    await devtools.send('Performance.enable');
    let round = 0;
    app.get('/r/:id', (_req, res) => void res.end());
    // Each report has other faults, late handlers and counts than the one before.
    const differ = (): void => {
      const event = { method: 'GET', route: `/r${round++}`, ms: 1 };
      channels.lateResponse.publish({ ...event, call: 'end', lateMs: 1, stack: undefined, error: undefined });
      channels.fault.publish({
        ...{ ...event, code: 'UPSTREAM_RESET', status: 502, outcome: 'answered', error: undefined },
        upstream: undefined,
      });
    };
    const reports = async (count: number): Promise<void> => {
      for (const end = asked.count + count; asked.count < end;) {
        const before = asked.count;
        differ();
        await until(() => asked.count > before);
      }
    };
    await page.goto(`${url}/_hangup`);
    await page.waitForSelector('#status.live');
    // All lists of the report are as long as they become.
    for (let time = 0; time < 300; time++) differ();
    await reports(30);
    const before = await sizes();
    await reports(REPORTS);
    const after = await sizes();
    expect(after['Nodes']).toBeLessThan((before['Nodes'] ?? 0) * 1.2);
    expect(after['JSEventListeners']).toBe(before['JSEventListeners']);
    expect(after['JSHeapUsedSize']).toBeLessThan((before['JSHeapUsedSize'] ?? 0) * 1.25);
    expect(asked.most).toBe(1);
  });

  it('asks once a second and one question at a time, however often it was hidden, paused and offline', async () => {
    await open();
    const answers = gate();
    held = answers.promise;
    const before = asked.count;
    // As often as it is shown, it would ask.
    for (let time = 0; time < 20; time++) {
      await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
      await page.click('#pause');
      await page.click('#pause');
    }
    await until(() => asked.count > before);
    answers.open();
    await until(() => asked.open === 0);
    await browser.setOffline(true);
    await page.clock.runFor(5000);
    await page.waitForSelector('#status.lost');
    await browser.setOffline(false);
    while ((await page.locator('#status.live').count()) === 0) await page.clock.runFor(1000);
    asked = { count: 0, open: 0, most: 0 };
    for (let second = 0; second < 20; second++) await page.clock.runFor(1000);
    expect(asked.count).toBeGreaterThan(0);
    expect(asked.count).toBeLessThanOrEqual(20);
    expect(asked.most).toBe(1);
  });

  it('says so when a server does not answer any more, and goes on when it does', async () => {
    const answers = await openUnanswered();
    await page.clock.runFor(16_000);
    await page.waitForSelector('#status.lost');
    expect(await page.textContent('#status')).toContain('no answer in 15 s');
    answers.open();
    while ((await page.locator('#status.live').count()) === 0) await page.clock.runFor(1000);
  });

  it('stays paused when the answer to its last question comes', async () => {
    const answers = await openUnanswered();
    await page.click('#pause');
    const answered = page.waitForResponse('**/report.json').then((response) => response.finished());
    answers.open();
    await answered;
    // The page's own code runs before what is asked of it now.
    await page.evaluate(`new Promise((resolve) => requestIdleCallback(resolve))`);
    expect(await page.textContent('#status')).toBe('Paused');
  });

  it('says so when the server has another version than the page, and not that it is gone', async () => {
    await open();
    await page.route('**/report.json', (route) => route.fulfill({ json: { isOf: 'another version' } }));
    while ((await page.locator('#status.lost').count()) === 0) await page.clock.runFor(1000);
    expect(await page.textContent('#status')).toContain('load it again');
  });
});
