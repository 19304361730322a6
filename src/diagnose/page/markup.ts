/** The page without its data: the script fills the elements that have an id. All addresses are relative to it. */
export const MARKUP = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Hang-ups</title>
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="page.css">
<script src="page.js" defer></script>
</head>
<body>
<a class="skip" href="#faults-title">Skip to recent faults</a>
<header>
  <h1>Hang-ups</h1>
  <p id="status" class="status" role="status">Loading…</p>
  <button id="pause" type="button">Pause</button>
</header>
<noscript><p class="panel">This page needs JavaScript; the same data are in <a href="report.json">report.json</a>.</p></noscript>
<main>
  <dl id="tiles" class="tiles"></dl>

  <section class="panel" aria-labelledby="findings-title">
    <h2 id="findings-title">Findings</h2>
    <ul id="findings" class="findings"></ul>
  </section>

  <section class="panel" aria-labelledby="live-title">
    <h2 id="live-title">In flight <span id="live-count" class="count"></span></h2>
    <p class="hint">Each bar runs towards the request's deadline.</p>
    <ol id="live" class="live"></ol>
  </section>

  <section class="panel" aria-labelledby="outcomes-title">
    <h2 id="outcomes-title">Outcomes <span class="count">last five minutes</span></h2>
    <div id="chart" class="chart"></div>
    <ul id="legend" class="legend"></ul>
    <details>
      <summary>As a table</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Outcomes as a table"><table id="outcomes"></table></div>
    </details>
  </section>

  <section class="panel" aria-labelledby="faults-title">
    <h2 id="faults-title" tabindex="-1">Recent faults</h2>
    <ol id="faults" class="faults"></ol>
  </section>

  <section class="panel" aria-labelledby="origins-title">
    <h2 id="origins-title">Upstreams</h2>
    <p class="hint">Resets and unexpected closes, split by the socket on which they came.
      <span class="key"><i class="swatch first"></i> first request of a socket</span>
      <span class="key"><i class="swatch reused"></i> reused socket</span>
      <span class="key"><i class="swatch unknown"></i> not known</span></p>
    <ul id="origins" class="origins"></ul>
  </section>

  <section class="panel" aria-labelledby="timeouts-title">
    <h2 id="timeouts-title">Timeouts side by side</h2>
    <p class="hint">On a logarithmic scale.</p>
    <div id="timeouts"></div>
  </section>

  <section class="panel" aria-labelledby="late-title">
    <h2 id="late-title">Late handlers</h2>
    <p class="hint">They wrote after their request had been answered for them: the work was for nothing.</p>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="late-title"><table id="late"></table></div>
  </section>
</main>
<footer>
  <p>Kept in this process's memory since <span id="since"></span>. No query, header or body is kept. <a href="report.json">report.json</a></p>
</footer>
</body>
</html>
`;
