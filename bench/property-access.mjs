// Why src/request/peek.ts reads properties of Express's req and res by Reflect.get(): what a read costs, in nanoseconds,
// on objects that each got another prototype, as Express gives it to every request.
//
//   node bench/property-access.mjs
import { quantile } from './lib/statistics.mjs';

const OBJECTS = 200_000;
const ROUNDS = 9;

class Message {
  constructor() {
    this.a = 1;
    this.b = 2;
    this.c = 3;
    this.d = 4;
  }
}
const prototype = Object.create({ inherited: 5 });

function likeExpress() {
  const message = new Message();
  Object.setPrototypeOf(message, prototype);
  message.next = 6;
  return message;
}

const READS = {
  none: () => 0,
  'by a dot': (o) => o.a + o.b + o.c + o.d + o.inherited + o.next,
  'by Reflect.get()': (o) =>
    Reflect.get(o, 'a') +
    Reflect.get(o, 'b') +
    Reflect.get(o, 'c') +
    Reflect.get(o, 'd') +
    Reflect.get(o, 'inherited') +
    Reflect.get(o, 'next'),
};
const PROPERTIES = 6;

const times = Object.fromEntries(Object.keys(READS).map((name) => [name, []]));
let sum = 0;
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, read] of Object.entries(READS)) {
    const start = performance.now();
    for (let i = 0; i < OBJECTS; i++) sum += read(likeExpress());
    times[name].push(((performance.now() - start) * 1e6) / OBJECTS);
  }
}
if (sum === 0) throw new Error('nothing was read');

console.log(`Node ${process.version}: nanoseconds for one property`);
for (const name of ['by a dot', 'by Reflect.get()']) {
  console.log(`  ${name}: ${((quantile(times[name], 0) - quantile(times.none, 0)) / PROPERTIES).toFixed(0)}`);
}
