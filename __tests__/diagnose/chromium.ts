import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { nativeRequire } from '../fixtures/native-require';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

const hasChromium = existsSync(CHROMIUM);
if (!hasChromium) process.stderr.write(`The page is not tested in a browser: there is no ${CHROMIUM}.\n`);

/** `describe()`, where there is a browser. */
export const inBrowser = hasChromium ? describe : describe.skip;

/** Starts Chromium with a profile of its own. Gives it, and the function that ends it and removes the profile. */
export async function startChromium(): Promise<{ browser: BrowserContext; stop: () => Promise<void> }> {
  const profile = await mkdtemp(join(tmpdir(), 'hangup-page-'));
  const { chromium } = nativeRequire('playwright-core');
  const browser: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: FLAGS.split(' '),
  });
  const stop = async (): Promise<void> => {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { browser, stop };
}
