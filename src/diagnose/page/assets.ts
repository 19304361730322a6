import { MARKUP } from './markup';

/** Something that is served as it is. */
export interface Asset {
  readonly type: string;
  readonly body: string;
}

/** The page itself. */
export const HTML: Asset = { type: 'text/html', body: MARKUP };

/** What the page loads, by its path below the page. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ['/page.css', { type: 'text/css', body: '' }],
  ['/page.js', { type: 'text/javascript', body: '' }],
]);
