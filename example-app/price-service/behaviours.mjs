const PRICE = JSON.stringify({ item: 'coffee', price: 4.2, currency: 'EUR' });

/** What the price service can be told to do. Each is given the response and nothing else. */
export const behaviours = {
  /** Answers at once. */
  ok: (res) => answer(res),

  /** Answers after 150 ms, as a service does that has work to do. */
  busy: (res) => answerAfter(150, res),

  /** Answers after 3 s: later than the gateway's deadline. */
  slow: (res) => answerAfter(3000, res),

  /** Never answers. */
  hang: () => {},

  /** Breaks the connection before it has answered: the caller sees ECONNRESET. */
  reset: (res) => res.socket.resetAndDestroy(),

  /** Sends half of its answer, then breaks the connection. */
  cut(res) {
    sendHalf(res);
    setTimeout(() => res.socket?.resetAndDestroy(), 50);
  },

  /** Sends half of its answer, then nothing, for ever. */
  stall: (res) => sendHalf(res),

  /** A stream of prices: the first after 1.5 s (later than the gateway's deadline), then four a second. */
  stream(res) {
    let timer = setTimeout(() => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      sendPrice(res);
      timer = setInterval(sendPrice, 250, res);
    }, 1500);
    res.on('close', () => clearTimeout(timer));
  },
};

function answer(res) {
  res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': PRICE.length });
  res.end(PRICE);
}

function answerAfter(ms, res) {
  const timer = setTimeout(answer, ms, res);
  res.on('close', () => clearTimeout(timer));
}

function sendHalf(res) {
  // Without a Content-Length: the body is chunked, as that of most JSON services behind a proxy.
  res.writeHead(200, { 'Content-Type': 'application/json' });
  res.write(PRICE.slice(0, PRICE.length / 2));
}

function sendPrice(res) {
  res.write(`data: ${(4 + Math.random()).toFixed(2)}\n\n`);
}
