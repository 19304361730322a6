import { Socket } from 'node:net';

/**
 * A socket without a connection: what is written to it goes to a function, what that function pushes is what was received. The
 * kernel has no part in it, and adds neither to the time nor to the noise.
 */
export class MemorySocket extends Socket {
  /** @param {(socket: MemorySocket, text: string) => void} onWrite */
  constructor(onWrite) {
    super();
    this.onWrite = onWrite;
  }

  // Of a socket that has no handle, Node thinks that it is still connecting, and puts these calls off until it has.
  get pending() {
    return false;
  }
  setKeepAlive() {
    return this;
  }
  ref() {
    return this;
  }
  unref() {
    return this;
  }

  _read() {}

  _write(chunk, _encoding, callback) {
    callback();
    this.onWrite(this, String(chunk));
  }

  _writev(chunks, callback) {
    this._write(Buffer.concat(chunks.map(({ chunk }) => Buffer.from(chunk))), undefined, callback);
  }
}

const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');

/**
 * Serves so many requests that come from within this process. Each is to be answered 200, with a JSON object.
 *
 * @param {import('node:http').Server} server
 * @param {{ requests: number, connections: number }} load
 */
export function serveInMemory(server, { requests, connections }) {
  return new Promise((resolve, reject) => {
    let left = requests;
    let open = connections;
    const next = (socket) => {
      if (left-- > 0) socket.push(REQUEST);
      else if (socket.destroy() && --open === 0) resolve();
    };
    const onWrite = (socket, text) => {
      if (text.startsWith('HTTP/') && !text.startsWith('HTTP/1.1 200 ')) socket.destroy(new Error(text));
      else if (text.endsWith('}')) setImmediate(next, socket);
    };
    for (let i = 0; i < connections; i++) {
      const socket = new MemorySocket(onWrite);
      socket.on('error', reject);
      server.emit('connection', socket);
      next(socket);
    }
  });
}
