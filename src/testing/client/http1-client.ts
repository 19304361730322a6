import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { IncomingResponses, unmeasured, type ClientAccount } from './client-account';
import type { ClientPlan, PlannedRequest } from './client-plan';
import { Pauses } from '../pauses';

/** Sends the planned requests over a bare socket, leaves as planned, and resolves to what came back. */
export function talkHttp1(url: URL, plan: ClientPlan): Promise<ClientAccount> {
  return new Promise((resolve, reject) => {
    new Conversation(url, plan, resolve, reject).begin();
  });
}

class Conversation {
  readonly #start = performance.now();
  readonly #pauses = new Pauses();
  readonly #responses: IncomingResponses;
  readonly #tcp: Socket;
  readonly #socket: Socket;
  readonly #host: string;
  readonly #secure: boolean;
  readonly #plan: ClientPlan;
  readonly #resolve: (account: ClientAccount) => void;
  readonly #reject: (error: Error) => void;
  readonly #ms = unmeasured();
  #sent = 0;
  #received = 0;
  #leaving = false;
  #staying = false;
  #over = false;

  constructor(
    url: URL,
    plan: ClientPlan,
    resolve: (account: ClientAccount) => void,
    reject: (error: Error) => void,
  ) {
    this.#plan = plan;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#responses = new IncomingResponses(
      plan.requests,
      () => this.#now(),
      plan.oneByOne ? 1 : plan.requests.length,
    );
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const secure = url.protocol === 'https:';
    this.#tcp = connect({
      host,
      port: Number(url.port) || (secure ? 443 : 80),
      allowHalfOpen: true,
      noDelay: true,
    });
    this.#socket = secure
      ? connectTls({ socket: this.#tcp, rejectUnauthorized: false, servername: 'localhost' })
      : this.#tcp;
    this.#host = url.host;
    this.#secure = secure;
  }

  begin(): void {
    const socket = this.#socket;
    // Without this, the first bytes would flow as soon as there is a listener, and a slow reader would not be slow.
    if (this.#plan.readAfter !== undefined) socket.pause();
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('end', () => {
      this.#responses.close();
      this.#finish('fin');
    });
    socket.on('error', (error) => this.#fail(error));
    if (this.#secure) this.#tcp.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#finish('fin'));
    socket.once(this.#secure ? 'secureConnect' : 'connect', () => this.#send());
    this.#pauses.later(this.#plan.patience, () => this.#finish('open'));
  }

  #send(): void {
    const { leave, after, readAfter } = this.#plan;
    this.#ms.connected = this.#now();
    if (readAfter !== undefined) this.#pauses.later(readAfter, () => this.#socket.resume());
    const first = this.#plan.requests.slice(0, this.#responses.expected);
    const bytes = Buffer.concat(first.map((request) => this.#bytesOf(request)));
    this.#sent = bytes.length;
    this.#socket.write(bytes, () => {
      this.#ms.requestSent = this.#now();
      if (leave !== 'never' && leave !== 'during-response') this.#pauses.later(after, () => this.#leave());
    });
  }

  #bytesOf(request: PlannedRequest): Buffer {
    const { leave, bytes } = this.#plan;
    const head = headOf(request, this.#host);
    if (request.raw) return head;
    if (leave === 'before-body') return head;
    if (leave === 'during-body') {
      const part = request.body.subarray(0, bytes ?? Math.floor(request.body.length / 2));
      return Buffer.concat([head, request.chunked ? chunk(part) : part]);
    }
    return Buffer.concat([
      head,
      request.chunked ? chunk(request.body) : request.body,
      Buffer.from(request.chunked ? '0\r\n\r\n' : ''),
    ]);
  }

  #receive(bytes: Buffer): void {
    this.#ms.firstByte ??= this.#now();
    this.#received += bytes.length;
    this.#responses.push(bytes);
    const { leave, after, readPause } = this.#plan;
    if (
      leave === 'during-response' &&
      !this.#leaving &&
      this.#responses.bodyBytes >= (this.#plan.bytes ?? 1)
    ) {
      this.#leaving = true;
      this.#pauses.later(after, () => this.#leave());
    } else if (!this.#leaving && (this.#responses.allComplete || this.#responses.malformed))
      this.#allComplete();
    if (readPause > 0) {
      this.#socket.pause();
      this.#pauses.later(readPause, () => this.#socket.resume());
    }
  }

  #allComplete(): void {
    const { stay, requests, beforeNext } = this.#plan;
    const next = requests[this.#responses.expected];
    if (next && !this.#responses.malformed && !this.#responses.serverWillClose) {
      this.#responses.expected += 1;
      this.#pauses.later(beforeNext?.() ?? Promise.resolve(), () => {
        const bytes = this.#bytesOf(next);
        this.#sent += bytes.length;
        this.#socket.write(bytes);
      });
      return;
    }
    if (this.#staying) return;
    this.#staying = true;
    this.#plan.onAnswered?.();
    if (stay !== undefined) this.#pauses.later(stay, () => this.#finish('open'));
    else if (!this.#responses.serverWillClose) this.#finish('open');
  }

  #leave(): void {
    this.#ms.left = this.#now();
    if (this.#plan.how === 'half-close') this.#socket.end();
    else this.#finish('we-left');
  }

  #fail(error: Error & { code?: string }): void {
    if (this.#ms.connected === undefined) {
      this.#pauses.stop();
      this.#over = true;
      this.#reject(
        new Error(`The client could not connect to ${this.#host}: ${error.message}`, { cause: error }),
      );
    } else this.#finish('rst');
  }

  #finish(ended: ClientAccount['ended']): void {
    if (this.#over) return;
    this.#over = true;
    this.#pauses.stop();
    this.#ms.ended = this.#now();
    this.#hangUp(ended);
    const responses = this.#responses.all.map((response) => response.finished());
    this.#resolve({
      responses,
      response: responses[0],
      ended,
      malformed: this.#responses.malformed,
      bytesSent: this.#sent,
      bytesReceived: this.#received,
      ms: this.#ms,
    });
  }

  #hangUp(ended: ClientAccount['ended']): void {
    if (ended === 'we-left' && this.#plan.how === 'rst') this.#tcp.resetAndDestroy();
    // The FIN is sent before the close. With unread bytes, a close alone would become a reset.
    else this.#socket.destroySoon();
  }

  #now(): number {
    return performance.now() - this.#start;
  }
}

function headOf({ method, path, headers, body, chunked, raw }: PlannedRequest, host: string): Buffer {
  if (raw) return raw;
  const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  if (!given.has('host')) lines.unshift(`Host: ${host}\r\n`);
  if (chunked) lines.push('Transfer-Encoding: chunked\r\n');
  else if (body.length > 0 && !given.has('content-length')) lines.push(`Content-Length: ${body.length}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}

function chunk(bytes: Buffer): Buffer {
  return bytes.length === 0
    ? bytes
    : Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}
