import express, { type Express } from 'express';
import type { BrowserContext, Page } from 'playwright-core';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { diagnose, type Diagnosis } from 'express-hangup/diagnose';
import { channels } from '../../src/events';
import { gate, serve } from '../fixtures/serve';
import { inBrowser, startChromium } from './chromium';
import { errorOf, request } from './clients';
import { rst, scriptedUpstream } from './scripted-upstream';

/** On Node 20 node:http does not tell of a request before it is sent. */
const showsHttpCalls = Number(process.versions.node.split('.')[0]) >= 22;

inBrowser('the page in a browser', () => {
  let browser: BrowserContext;
  let stopBrowser: () => Promise<void>;
  let diagnosis: Diagnosis;
  let app: Express;
  let page: Page;
  let url: string;
  let troubles: string[];

  beforeAll(async () => {
    ({ browser, stop: stopBrowser } = await startChromium());
  });

  afterAll(() => stopBrowser());

  beforeEach(async () => {
    diagnosis = diagnose();
    app = express();
    app.use('/_hangup', diagnosis.page);
    app.use(hangup({ deadline: 20_000 }));
    ({ url } = await serve(app));
    page = await browser.newPage();
    troubles = [];
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()));
    page.on('request', (asked) => asked.url().startsWith(url) || troubles.push(`asked for ${asked.url()}`));
  });

  afterEach(async () => {
    await page.close();
    diagnosis.stop();
    // A broken policy is an error of the console.
    if (troubles.length > 0) throw new Error(troubles.join('\n'));
  });

  async function open(): Promise<void> {
    await page.clock.install();
    await page.goto(`${url}/_hangup`);
    await page.waitForSelector('#status.live');
  }

  function fault(route: string): void {
    const event = { method: 'GET', route, ms: 1, status: 502, outcome: 'answered' as const };
    channels.fault.publish({ ...event, code: 'UPSTREAM_RESET', error: undefined, upstream: undefined });
  }

  /** Lets the page ask for a new report until it shows something. */
  async function shows(what: string): Promise<void> {
    while ((await page.evaluate(what)) !== true) await page.clock.runFor(1000);
  }

  it('shows the counts of the report', async () => {
    app.get('/ok', (_req, res) => void res.send('ok'));
    app.get('/status/:status', (req, res) => void res.status(Number(req.params.status)).end());
    for (const path of ['/ok', '/ok', '/ok', '/status/502', '/status/504', '/status/504'])
      await (await fetch(url + path)).text();
    await open();
    const tiles = await page.$$eval('.tile', (elements) => elements.map((element) => element.textContent));
    expect(tiles).toEqual([
      'In flight0',
      'Answered, 5 min3',
      '502 bad gateway1',
      '504 timeout2',
      'Clients left0',
      'Late handlers0',
      'Faults in all0',
    ]);
    expect(await page.textContent('#legend')).toContain('504 2');
    expect(
      await page.$$eval('#chart rect.ok, #chart rect.badGateway, #chart rect.timeout', (bars) => bars.length),
    ).toBeGreaterThanOrEqual(3);
  });

  it('follows a request in flight without a reload, until it is answered', async () => {
    const done = gate();
    app.get('/users/:id', async (_req, res) => {
      await done.promise;
      res.end();
    });
    await open();
    expect(await page.textContent('#live')).toBe('Nothing is under way.');
    const answer = fetch(`${url}/users/7`);
    await shows(`document.querySelector('#live code')?.textContent === '/users/:id'`);
    expect(await page.textContent('#live .time')).toMatch(/ of 20 s$/);
    const width = `Number.parseFloat(document.querySelector('#live .bar > i').style.width)`;
    const before = await page.evaluate(width);
    await shows(`${width} > ${String(before)}`);
    done.open();
    await answer;
    await shows(`document.querySelector('#live').textContent === 'Nothing is under way.'`);
  });

  it('shows a fault with its verdict, its words and its advice', async () => {
    const upstream = await scriptedUpstream(rst);
    app.get('/users/:id', (req, _res, next) => {
      request(upstream.origin, { signal: req.signal }).catch(next);
    });
    app.use(gatewayErrorHandler());
    await fetch(`${url}/users/7`);
    await fetch(`${url}/users/8`);
    await errorOf(request('http://nowhere.invalid:3001/'));
    await open();
    const rows = await page.$$eval('#faults > li', (elements) =>
      elements.map((element) => element.textContent),
    );
    expect(rows).toHaveLength(2);
    expect(rows[0]).toContain('NN- network, name lookup');
    expect(rows[0]).toContain('does not exist for this machine');
    expect(rows[1]).toContain('502 UPSTREAM_RESETGET /users/:id');
    expect(rows[1]).toContain('UW1 upstream, waiting, first request');
    expect(rows[1]).toContain('× 2');
    expect(await page.textContent('#origins')).toContain('2 resets: 2 first');
  });

  it('shows what somebody hostile has sent as the text that it is', async () => {
    const hostiles = [
      '/<img src=x onerror="document.title=1">',
      '/<script>document.title=1</script>',
      '/&lt;b&gt;&quot;',
      '/" onmouseover="document.title=1" x="',
      '/${document.title=1}{{document.title=1}}',
      '/\u202E\u2028\u0001',
    ];
    for (const hostile of hostiles) {
      const asked = { method: hostile, route: hostile, ms: 1 };
      channels.lateResponse.publish({
        ...asked,
        call: hostile,
        lateMs: 1,
        stack: `Error\n    at ${hostile}`,
      });
      channels.fault.publish({
        ...asked,
        code: hostile as never,
        status: 502,
        outcome: 'answered',
        error: undefined,
        upstream: { origin: hostile, trigger: hostile, verdict: hostile, advice: hostile },
      });
    }
    await open();
    expect(await page.title()).toBe('Hang-ups');
    const smuggled = 'main img, main script, main b, [onmouseover], [onerror]';
    expect(await page.$$eval(smuggled, (found) => found.length)).toBe(0);
    const texts = (selector: string): Promise<(string | null)[]> =>
      page.$$eval(selector, (elements) => elements.map((element) => element.textContent));
    expect((await texts('#late th code')).reverse()).toEqual(hostiles);
    expect((await texts('#faults .advice')).reverse()).toEqual(hostiles);
  });

  it('says what the lists leave out, below each of them', async () => {
    const late = { method: 'GET', ms: 1, call: 'end', lateMs: 1, stack: undefined };
    for (let n = 0; n < 53; n++) channels.lateResponse.publish({ ...late, route: `/late-${n}` });
    for (let n = 0; n < 201; n++) fault(`/fault-${n}`);
    await open();
    expect(await page.textContent('#faults > li:last-child')).toMatch(/^and 1 fault of kinds/);
    expect(await page.textContent('#late tbody tr:last-child')).toMatch(/^and 3 responses on routes/);
    expect(
      await page.$$eval('.tile:nth-child(n + 6) dd', (sums) => sums.map((sum) => sum.textContent)),
    ).toEqual(['53', '201']);
  });

  it('keeps the focus on a link, and what the filter holds, while faults come and rows move', async () => {
    for (const route of ['/a', '/b', '/c']) fault(route);
    await open();
    await page.fill('#filter', 'UPSTREAM');
    await page.focus('#faults > li:nth-child(2) a');
    // Another kind, then the same one: its row gets a new count, and goes to the top.
    for (const route of ['/d', '/b']) {
      fault(route);
      await shows(`document.querySelector('#faults code').textContent === '${route}'`);
      expect(
        await page.evaluate(`document.activeElement.closest('li')?.querySelector('code').textContent`),
      ).toBe('/b');
    }
    expect(await page.textContent('#faults .times')).toBe('× 2');
    expect(await page.inputValue('#filter')).toBe('UPSTREAM');
    expect(await page.locator('#faults > li').count()).toBe(4);
  });

  it('pauses and goes on by the keyboard, and says so', async () => {
    app.get('/ok', (_req, res) => void res.send('ok'));
    await open();
    await page.focus('#pause');
    await page.keyboard.press('Enter');
    expect(await page.textContent('#status')).toBe('Paused');
    await (await fetch(`${url}/ok`)).text();
    await page.keyboard.press('Enter');
    await shows(`document.querySelector('.tile:nth-child(2) dd').textContent === '1'`);
    expect(await page.getAttribute('#status', 'role')).toBe('status');
  });

  it('says when the server is gone, and is there again when it is back', async () => {
    await open();
    await page.route('**/report.json', (route) => route.abort());
    await shows(`document.querySelector('#status.lost') !== null`);
    expect(await page.textContent('#status')).toContain('No connection');
    await page.unroute('**/report.json');
    await shows(`document.querySelector('#status.live') !== null`);
    // The browser itself notes each request that was cut.
    troubles = troubles.filter((trouble) => !trouble.includes('ERR_FAILED'));
  });

  it.each(['light', 'dark'] as const)(
    'is readable in %s: text reaches a contrast of 4.5 to 1',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      channels.lateResponse.publish({
        method: 'GET',
        route: '/a',
        ms: 1,
        call: 'end',
        lateMs: 1,
        stack: undefined,
      });
      await errorOf(request('http://nowhere.invalid:3001/'));
      await open();
      const ground = await page.evaluate<string>(`getComputedStyle(document.body).backgroundColor`);
      expect(luminance(ground)).toBeCloseTo(colorScheme === 'dark' ? 0 : 0.9, 0);
      const pairs = await page.evaluate<{ text: string; colour: string; ground: string }[]>(TEXT_AND_GROUND);
      expect(pairs.length).toBeGreaterThan(40);
      for (const { text, colour, ground: behind } of pairs) {
        expect({ text, isReadable: contrast(colour, behind) >= 4.5 }).toEqual({ text, isReadable: true });
      }
    },
  );

  it('fits a phone: nothing reaches over the edge', async () => {
    await page.setViewportSize({ width: 360, height: 700 });
    const hostile = `/${'very-long-part-of-a-route-'.repeat(10)}`;
    channels.lateResponse.publish({
      method: 'GET',
      route: hostile,
      ms: 1,
      call: 'end',
      lateMs: 1,
      stack: undefined,
    });
    await errorOf(request(`http://${'a-long-name-of-a-host.'.repeat(5)}invalid:3001/`));
    await open();
    expect(await page.evaluate(`document.documentElement.scrollWidth`)).toBeLessThanOrEqual(360);
    for (const cell of await page.locator('#late tbody th').all())
      expect((await cell.boundingBox())?.width).toBeGreaterThan(150);
  });

  it('shows the line of the app that made a call, when it failed first and last, and what the docs say', async () => {
    const upstream = await scriptedUpstream(rst);
    app.get('/users/:id', (req, _res, next) => {
      request(upstream.origin, { signal: req.signal }).catch(next);
    });
    app.use(gatewayErrorHandler());
    for (const id of [1, 2]) await fetch(`${url}/users/${id}`);
    await open();
    const row = (await page.textContent('#faults > li')) ?? '';
    expect(row).toMatch(/last \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, first \d{4}-\d\d-\d\d/);
    expect(/called at \S*clients\.ts:\d+:\d+/.test(row)).toBe(showsHttpCalls);
    const link = await page.getAttribute('#faults a', 'href');
    expect(await page.evaluate(`fetch('${link ?? ''}').then((answer) => answer.text())`)).toMatch(
      /^## UPSTREAM_RESET\n/,
    );
  });

  it('has a table of the routes, and shows what matches the filter', async () => {
    app.get('/users/:id', (_req, res) => void res.send('ok'));
    app.get('/orders/:id', (_req, res) => void res.status(504).end());
    for (const path of ['/users/1', '/users/2', '/orders/1']) await (await fetch(url + path)).text();
    await open();
    const rows = (): Promise<string[]> =>
      page.$$eval('#routes tbody tr', (elements) => elements.map((element) => element.textContent));
    expect(await rows()).toEqual([
      expect.stringMatching(/^GET \/users\/:id2000/),
      expect.stringMatching(/^GET \/orders\/:id101/),
    ]);
    await page.fill('#filter', 'ORDERS');
    expect(await rows()).toEqual([expect.stringMatching(/^GET \/orders/)]);
    await page.fill('#filter', 'nothing like it');
    expect(await rows()).toEqual(['None that matches the filter.']);
  });

  it('shows twelve hours as well as five minutes', async () => {
    app.get('/ok', (_req, res) => void res.send('ok'));
    await (await fetch(`${url}/ok`)).text();
    await open();
    expect(await page.textContent('#chart')).toContain('5 min ago');
    await page.selectOption('#range', 'hours');
    expect(await page.textContent('#chart')).toContain('12 h ago');
    expect(await page.textContent('#legend')).toContain('answered 1');
  });

  it('gives its report to the clipboard', async () => {
    await browser.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url });
    await open();
    await page.click('#copy');
    // Not waitForFunction(): the page's policy forbids what it evaluates.
    await page.waitForSelector('#copy:text-is("Copied")');
    const copied = JSON.parse(await page.evaluate(`navigator.clipboard.readText()`)) as object;
    expect(Object.keys(copied)).toEqual(Object.keys(diagnosis.report()));
  });

  it('is not for a page of another site, not even where the app lets every site read its answers', async () => {
    const open = express();
    open.use((_req, res, next) => {
      res.set('Access-Control-Allow-Origin', '*');
      next();
    });
    open.use('/_hangup', diagnosis.page);
    const { port } = await serve(open);
    app.get('/evil', (_req, res) => void res.send('<!doctype html><title>another site</title>'));
    // "localhost" and "127.0.0.1" are two sites.
    await page.goto(`${url.replace('127.0.0.1', 'localhost')}/evil`);
    const read = await page.evaluate(
      `fetch('http://127.0.0.1:${port}/_hangup/report.json').then(async (answer) => answer.status + (await answer.text()))`,
    );
    expect(read).toMatch(/^403Forbidden: another site has asked for it/);
    troubles = [];
  });

  it('names its parts for a screen reader, and lets every control be reached', async () => {
    app.get('/ok', (_req, res) => void res.send('ok'));
    await (await fetch(`${url}/ok`)).text();
    await open();
    const unnamed = await page.evaluate(UNNAMED);
    expect(unnamed).toEqual([]);
    const reached: string[] = [];
    for (let press = 0; press < 8; press++) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(`document.activeElement.tagName`));
    }
    expect(reached).toEqual(expect.arrayContaining(['A', 'INPUT', 'BUTTON', 'SELECT', 'SUMMARY']));
    expect(await page.getAttribute('html', 'lang')).toBe('en');
    await page.getByRole('columnheader', { name: 'Took p95' }).waitFor();
    await page.getByRole('combobox', { name: 'Outcomes over' }).waitFor();
    expect(await page.locator('#routes tbody th').first().textContent()).toMatch(/^[A-Z]+ /);
  });
});

/** Every text that is shown, its colour and the colour behind it. */
const TEXT_AND_GROUND = `(() => {
  const groundOf = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    return backgroundColor === 'rgba(0, 0, 0, 0)' ? groundOf(element.parentElement) : backgroundColor;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (text === '' || element.closest('noscript')) continue;
    found.push({ text, colour: getComputedStyle(element).color, ground: groundOf(element) });
  }
  return found;
})()`;

/** The parts of the page that have no name for those who do not see it. */
const UNNAMED = `[...document.querySelectorAll('section, [role=region], svg[role=img]')]
  .filter((element) => {
    const id = element.getAttribute('aria-labelledby');
    const name = id === null ? element.getAttribute('aria-label') : document.getElementById(id)?.textContent;
    return (name ?? '').trim() === '';
  })
  .map((element) => element.outerHTML)`;

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** WCAG 2.2, 1.4.3. */
function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}
