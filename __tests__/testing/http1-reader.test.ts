import fc from 'fast-check';
import { Http1Reader } from '../../src/testing/http1-reader';

type Noted = [string, ...unknown[]];

function reader(of: 'request' | 'response'): { noted: Noted[]; reader: Http1Reader } {
  const noted: Noted[] = [];
  const made = new Http1Reader(of, {
    head: ({ startLine, headers }) => {
      noted.push(['head', startLine, headers]);
      return / (204|304) /.test(startLine) ? 'no-body' : / 1\d\d /.test(startLine) ? 'interim' : 'by-headers';
    },
    body: (bytes) => {
      const last = noted.at(-1);
      if (last?.[0] === 'body') last[1] = `${String(last[1])}${bytes.toString()}`;
      else noted.push(['body', bytes.toString()]);
    },
    trailers: (trailers) => void noted.push(['trailers', trailers]),
    end: () => void noted.push(['end']),
    malformed: (why) => void noted.push(['malformed', why]),
  });
  return { noted, reader: made };
}

function read(of: 'request' | 'response', text: string): Noted[] {
  const { noted, reader: made } = reader(of);
  made.push(Buffer.from(text));
  return noted;
}

const RESPONSES =
  'HTTP/1.1 100 Continue\r\n\r\n' +
  'HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nContent-Length: 5\r\n\r\nhello' +
  'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n' +
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nSum: 7\r\n\r\n' +
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' +
  'HTTP/1.1 200 OK\r\n\r\nuntil the end';

const READ: Noted[] = [
  ['head', 'HTTP/1.1 100 Continue', {}],
  ['head', 'HTTP/1.1 200 OK', { a: '1, 2', 'content-length': '5' }],
  ['body', 'hello'],
  ['end'],
  ['head', 'HTTP/1.1 204 No Content', { 'content-length': '5' }],
  ['end'],
  ['head', 'HTTP/1.1 200 OK', { 'transfer-encoding': 'chunked' }],
  ['body', 'abc0123456789'],
  ['trailers', { sum: '7' }],
  ['end'],
  ['head', 'HTTP/1.1 200 OK', { 'content-length': '0' }],
  ['end'],
  ['head', 'HTTP/1.1 200 OK', {}],
  ['body', 'until the end'],
];

describe('the HTTP/1 reader', () => {
  it('reads every way of framing, one message after another', () => {
    expect(read('response', RESPONSES)).toEqual(READ);
  });

  it('reads the same wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(RESPONSES.length), { maxLength: 30 }), (cuts) => {
        const { noted, reader: made } = reader('response');
        const places = [0, ...cuts.sort((a, b) => a - b), RESPONSES.length];
        places.forEach((place, i) => made.push(Buffer.from(RESPONSES.slice(place, places[i + 1]))));
        expect(noted).toEqual(READ);
      }),
    );
  });

  it('completes a response without a length when the connection ends', () => {
    const { noted, reader: made } = reader('response');
    made.push(Buffer.from('HTTP/1.1 200 OK\r\n\r\nabc'));
    expect(noted).not.toContainEqual(['end']);
    made.close();
    expect(noted).toContainEqual(['end']);
  });

  it.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    ['a last chunk without its empty line', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n'],
    ['trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n'],
    ['a head', 'HTTP/1.1 200 OK\r\nContent-'],
  ])('does not take the end of the connection for the end of %s', (_what, text) => {
    const { noted, reader: made } = reader('response');
    made.push(Buffer.from(text));
    made.close();
    expect(noted).not.toContainEqual(['end']);
  });

  it('gives a request without a length no body', () => {
    expect(
      read('request', '\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 1\r\n\r\nx'),
    ).toEqual([
      ['head', 'GET /a HTTP/1.1', { host: 'x' }],
      ['end'],
      ['head', 'POST /b HTTP/1.1', { 'content-length': '1' }],
      ['body', 'x'],
      ['end'],
    ]);
  });

  it.each([
    ['another protocol', 'response', '220 mail.example ESMTP\r\n'],
    ['a status that is none', 'response', 'HTTP/1.1 xxx\r\n'],
    ['a header without a colon', 'response', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'],
    [
      'two lengths that differ',
      'response',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    ],
    ['a length that is no number', 'response', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['a chunk without a size', 'response', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n'],
    [
      'a chunk beyond its size',
      'response',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n',
    ],
    ['a TLS handshake', 'request', '\u0016\u0003\u0001'],
  ] as const)('calls %s malformed', (_what, of, text) => {
    expect(read(of, text).at(-1)?.[0]).toBe('malformed');
  });
});
