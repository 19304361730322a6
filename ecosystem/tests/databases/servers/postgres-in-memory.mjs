// Stands for a connection to PostgreSQL, as pg's `stream` option, where the kernel and a second process would only add noise.
import { Duplex } from 'node:stream';

/** A message of the server: its type, its length, its body. */
function message(type, ...parts) {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
const int16 = (value) => Buffer.from([value >> 8, value & 255]);
const int32 = (value) => Buffer.concat([int16(value >>> 16), int16(value & 65535)]);

const READY = message('Z', Buffer.from('I'));
const GREETING = Buffer.concat([message('R', int32(0)), READY]);
/** What PostgreSQL answers to `SELECT $1::int` with the value 1: one row of one column of type int4. */
const ANSWER = Buffer.concat([
  message('1'),
  message('2'),
  message('T', int16(1), Buffer.from('int4\0'), int32(0), int16(0), int32(23), int16(4), int32(-1), int16(0)),
  message('D', int16(1), int32(1), Buffer.from('1')),
  message('C', Buffer.from('SELECT 1\0')),
  READY,
]);
const SYNC = message('S');

class AnsweringStream extends Duplex {
  #isGreeted = false;

  connect() {
    process.nextTick(() => this.emit('connect'));
  }
  _read() {}
  _write(chunk, _encoding, done) {
    // Sync is the last message of a query, and pg writes each message at once.
    const isWhole = !this.#isGreeted || chunk.subarray(-SYNC.length).equals(SYNC);
    if (isWhole) setImmediate(() => this.push(this.#isGreeted ? ANSWER : this.#greet()));
    done();
  }
  #greet() {
    this.#isGreeted = true;
    return GREETING;
  }
  setNoDelay() {}
  setKeepAlive() {}
  ref() {}
  unref() {}
}

/** The configuration of a pool whose every query is answered by one row with the number 1. */
export const inMemory = { user: 'postgres', database: 'postgres', stream: () => new AnsweringStream() };
