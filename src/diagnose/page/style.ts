/** The colours, light and dark. Text reaches a contrast of 4.5:1 on every ground that it is used on (WCAG 2.2, 1.4.3). */
const COLOURS = `
:root {
  color-scheme: light dark;
  --ground: #f4f6f8; --panel: #fff; --line: #dde2e8; --text: #161b22; --soft: #57606c;
  --accent: #1f5fbf; --track: #e6eaef; --warn: #a15c00; --warn-ground: #fff6e5; --bad: #b42318; --bad-ground: #fdecea;
  --ok: #8fb4dd; --refused: #d9c46c; --error: #8a5cc7; --bad-gateway: #e0672f; --unavailable: #f0a63c;
  --timeout: #c6283d; --client-closed: #8b95a1; --broken: #2b323b;
  --first: #e0672f; --reused: #7a4fc0; --unknown: #a7b0ba;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1217; --panel: #161b22; --line: #2b323b; --text: #e7ebf0; --soft: #9ba6b3;
    --accent: #7fb0f5; --track: #262d36; --warn: #f0b45b; --warn-ground: #2c2414; --bad: #ff8a7a; --bad-ground: #321a18;
    --ok: #3d6a9e; --refused: #9d8a38; --error: #a47fe0; --bad-gateway: #ef8350; --unavailable: #e2a24a;
    --timeout: #ef5b6c; --client-closed: #6d7783; --broken: #d8dee6;
    --first: #ef8350; --reused: #a47fe0; --unknown: #66707c;
  }
}`;

const GROUND = `
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 0 1rem 3rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.25rem; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1rem; margin: 0; }
p, ul, ol, dl { margin: 0; padding: 0; }
ul, ol { list-style: none; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .92em; overflow-wrap: anywhere; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--panel); padding: .5rem; z-index: 1; }
.soft, .hint, .count, footer { color: var(--soft); }
.hint { font-size: .87rem; margin-bottom: .75rem; }
.count { font-weight: 400; font-size: .87rem; }
.empty { color: var(--soft); padding: .25rem 0; }
header { display: flex; align-items: center; gap: .75rem; padding: 1rem 0; flex-wrap: wrap; }
.status { flex: 1; color: var(--soft); font-size: .87rem; }
.status::before { content: ""; display: inline-block; width: .55rem; height: .55rem; border-radius: 50%; margin-right: .45rem;
  background: var(--client-closed); }
.status.live::before { background: #2e9e5b; }
.status.lost { color: var(--bad); }
.status.lost::before { background: var(--bad); }
button { font: inherit; color: var(--text); background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
  padding: .35rem .9rem; min-height: 2.25rem; cursor: pointer; }
button:hover { border-color: var(--accent); }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.1rem; margin-top: 1rem; }
.panel > h2 + :not(.hint) { margin-top: .6rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; }
.tile { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: .7rem .9rem;
  display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.tile dt { color: var(--soft); font-size: .82rem; }
.tile dd { margin: 0; font-size: 1.6rem; font-weight: 600; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile.bad dd { color: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-top: 1px solid var(--line); vertical-align: top; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .82rem; white-space: nowrap; }
td.number, th.number { text-align: right; }
summary { cursor: pointer; color: var(--soft); font-size: .87rem; margin-top: .6rem; }
footer { font-size: .82rem; margin-top: 1.5rem; }`;

const PARTS = `
.findings li { padding: .55rem .8rem; border-radius: 8px; background: var(--warn-ground); border-left: 3px solid var(--warn); }
.findings li + li { margin-top: .5rem; }
.findings li.empty { background: none; border: 0; padding-left: 0; }
.live li { display: grid; grid-template-columns: minmax(9rem, 1.2fr) 2fr minmax(8.5rem, auto); gap: .25rem 1rem; align-items: center;
  padding: .3rem 0; }
.live .time { text-align: right; font-variant-numeric: tabular-nums; font-size: .87rem; color: var(--soft); white-space: nowrap; }
.live li.empty { display: block; }
.method { font-weight: 600; margin-right: .4rem; }
.bar { height: .7rem; border-radius: 99px; background: var(--track); overflow: hidden; display: flex; }
.bar > i { display: block; height: 100%; }
.bar > i.run { background: var(--accent); }
.live .bar > i { transition: width 1s linear; }
.bar > i.soon { background: var(--unavailable); }
.bar > i.last { background: var(--timeout); }
.bar.none { background: repeating-linear-gradient(-45deg, var(--track) 0 6px, transparent 6px 12px); }
.chart svg { display: block; width: 100%; height: 5rem; }
.chart .axis + svg { margin-top: .6rem; }
.chart .axis { display: flex; justify-content: space-between; color: var(--soft); font-size: .78rem; margin-top: .2rem; }
.chart line { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin-top: .6rem; font-size: .87rem; font-variant-numeric: tabular-nums; }
.swatch { display: inline-block; width: .7rem; height: .7rem; border-radius: 3px; margin-right: .35rem; }
.key { white-space: nowrap; margin-left: .6rem; }
.ok { fill: var(--ok); background: var(--ok); } .refused { fill: var(--refused); background: var(--refused); }
.error { fill: var(--error); background: var(--error); } .badGateway { fill: var(--bad-gateway); background: var(--bad-gateway); }
.unavailable { fill: var(--unavailable); background: var(--unavailable); } .timeout { fill: var(--timeout); background: var(--timeout); }
.clientClosed { fill: var(--client-closed); background: var(--client-closed); } .broken { fill: var(--broken); background: var(--broken); }
.first { background: var(--first); } .reused { background: var(--reused); } .unknown { background: var(--unknown); }
.origins > li { padding: .7rem 0; border-top: 1px solid var(--line); }
.origins > li:first-child { border-top: 0; padding-top: 0; }
.origins > li.empty, .faults > li.empty { border: 0; }
.origins .head { display: flex; flex-wrap: wrap; gap: .2rem 1rem; justify-content: space-between; margin-bottom: .4rem; }
.origins .head strong { overflow-wrap: anywhere; }
.origins .head .soft { font-size: .87rem; }
.origins .bar > i { min-width: 3px; }
.origins .bar > i + i { border-left: 2px solid var(--panel); }
.origins p { font-size: .87rem; margin-top: .4rem; }
.split { display: grid; grid-template-columns: 1fr auto; gap: 1rem; align-items: center; font-size: .87rem; font-variant-numeric: tabular-nums; }
.chips { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: .5rem; }
.chip { border: 1px solid var(--line); border-radius: 99px; padding: .05rem .6rem; font-size: .82rem; white-space: nowrap; }
.chip .mono { font-weight: 600; }
.timeouts h3 { font-size: .87rem; font-weight: 600; margin: .8rem 0 .2rem; overflow-wrap: anywhere; }
.timeouts li { display: grid; grid-template-columns: minmax(11rem, 1fr) 2fr minmax(8rem, auto); gap: .25rem 1rem; align-items: center;
  font-size: .87rem; padding: .15rem 0; }
.timeouts .bar { height: .5rem; }
.timeouts .value { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.faults > li { padding: .7rem 0; border-top: 1px solid var(--line); }
.faults > li:first-child { border-top: 0; padding-top: 0; }
.faults .head { display: flex; flex-wrap: wrap; gap: .15rem .8rem; align-items: baseline; }
.faults time { color: var(--soft); font-variant-numeric: tabular-nums; font-size: .87rem; }
.faults .code { font-weight: 600; }
.faults .code.bad { color: var(--bad); }
.times { margin-left: auto; font-weight: 600; font-variant-numeric: tabular-nums; }
.faults .facts { color: var(--soft); font-size: .87rem; }
.advice { margin-top: .35rem; padding: .4rem .7rem; border-left: 3px solid var(--accent); background: var(--ground); border-radius: 0 8px 8px 0;
  font-size: .92rem; }
@media (max-width: 40rem) {
  body { padding: 0 .7rem 2rem; }
  .panel { padding: .8rem .8rem; }
  .tiles { grid-template-columns: repeat(2, 1fr); gap: .5rem; }
  .live li, .timeouts li { grid-template-columns: 1fr auto; }
  .live .bar, .timeouts .bar { grid-column: 1 / -1; grid-row: 2; }
  .timeouts li { padding: .3rem 0; }
  .key { display: block; margin: .15rem 0 0; }
}
@media (prefers-reduced-motion: reduce) { .live .bar > i { transition: none; } }
@media (forced-colors: active) { .bar, .swatch, .chip { border: 1px solid CanvasText; } .bar > i { background: Highlight; } }
`;

/** The page's style sheet. */
export const STYLE = COLOURS + GROUND + PARTS;
