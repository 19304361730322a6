import { ICON } from './icon';
import { MARKUP } from './markup';
import { SCRIPT_BASE } from './script-base';
import { SCRIPT_FAULTS } from './script-faults';
import { SCRIPT_MAIN } from './script-main';
import { SCRIPT_REQUESTS } from './script-requests';
import { SCRIPT_UPSTREAMS } from './script-upstreams';
import { STYLE } from './style';

/** Something that is served as it is. */
export interface Asset {
  readonly type: string;
  readonly body: string;
}

const SCRIPT = `'use strict';
{${SCRIPT_BASE}${SCRIPT_REQUESTS}${SCRIPT_UPSTREAMS}${SCRIPT_FAULTS}${SCRIPT_MAIN}}
`;

/** The page itself. */
export const HTML: Asset = { type: 'text/html', body: MARKUP };

/** What the page loads, by its path below the page. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ['/page.css', { type: 'text/css', body: STYLE }],
  ['/page.js', { type: 'text/javascript', body: SCRIPT }],
  ['/icon.svg', { type: 'image/svg+xml', body: ICON }],
]);
