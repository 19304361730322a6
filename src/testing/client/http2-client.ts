import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { IncomingResponses, unmeasured, type ClientAccount } from './client-account';
import type { ClientPlan } from './client-plan';
import { Pauses } from '../pauses';

/** The same as `talkHttp1()`, on one stream of an HTTP/2 connection. */
export function talkHttp2(url: URL, plan: ClientPlan): Promise<ClientAccount> {
  return new Promise((resolve, reject) => {
    new StreamConversation(url, plan, resolve, reject).begin();
  });
}

class StreamConversation {
  readonly #start = performance.now();
  readonly #pauses = new Pauses();
  readonly #responses: IncomingResponses;
  readonly #session: ClientHttp2Session;
  readonly #plan: ClientPlan;
  readonly #resolve: (account: ClientAccount) => void;
  readonly #reject: (error: Error) => void;
  readonly #ms = unmeasured();
  readonly #cancel = new AbortController();
  #sent = 0;
  #received = 0;
  #leaving = false;
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
    this.#responses = new IncomingResponses(plan.requests, () => this.#now());
    this.#session = connect(url.origin, { rejectUnauthorized: false });
  }

  begin(): void {
    this.#session.on('error', (error) => {
      if (this.#ms.connected !== undefined) {
        this.#finish('rst');
        return;
      }
      this.#over = true;
      this.#pauses.stop();
      this.#reject(new Error(`The client could not connect: ${error.message}`, { cause: error }));
    });
    this.#session.on('connect', () => this.#send());
    this.#session.on('close', () => this.#finish('fin'));
    this.#pauses.later(this.#plan.patience, () => this.#finish('open'));
  }

  #send(): void {
    this.#ms.connected = this.#now();
    const [request] = this.#plan.requests;
    if (!request) return;
    const { leave, bytes } = this.#plan;
    const none = request.body.length === 0;
    const head = { ':method': request.method, ':path': request.path, ...request.headers };
    const stream = this.#session.request(head, { endStream: none, signal: this.#cancel.signal });
    this.#listen(stream);
    const half = Math.floor(request.body.length / 2);
    const part =
      leave === 'before-body'
        ? request.body.subarray(0, 0)
        : leave === 'during-body'
          ? request.body.subarray(0, bytes ?? half)
          : request.body;
    this.#sent = part.length;
    const sent = (): void => {
      this.#ms.requestSent = this.#now();
      if (leave !== 'never' && leave !== 'during-response')
        this.#pauses.later(this.#plan.after, () => this.#leave());
    };
    // The frames of a stream leave the process in a later turn. If the stream is reset before that, nothing of it is sent.
    if (part.length === 0) this.#session.ping(sent);
    else if (leave === 'during-body') stream.write(part, () => this.#session.ping(sent));
    else stream.end(part, () => this.#session.ping(sent));
  }

  #listen(stream: ClientHttp2Stream): void {
    stream.on('headers', (headers) => void this.#responses.head(Number(headers[':status']), '', {}));
    stream.on('response', (headers) => {
      this.#ms.firstByte ??= this.#now();
      const plain = Object.entries(headers).filter(([name]) => !name.startsWith(':'));
      const given = Object.fromEntries(plain.map(([name, value]) => [name, String(value)]));
      this.#responses.head(Number(headers[':status']), '', given);
      this.#leaveDuringResponse();
    });
    stream.on('data', (bytes: Buffer) => {
      this.#received += bytes.length;
      this.#responses.body(bytes);
      this.#leaveDuringResponse();
    });
    // Node emits 'end' after a reset, too. Only the code tells: it is 0 if the server has ended the stream properly.
    stream.on('close', () => {
      if (this.#session.destroyed) this.#finish('fin');
      else if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) this.#finish('rst');
      else this.#complete();
    });
    stream.on('error', () => undefined);
    if (this.#plan.readAfter !== undefined) {
      stream.pause();
      this.#pauses.later(this.#plan.readAfter, () => stream.resume());
    }
  }

  #leaveDuringResponse(): void {
    if (this.#plan.leave !== 'during-response' || this.#leaving) return;
    if (this.#responses.bodyBytes < (this.#plan.bytes ?? 1)) return;
    this.#leaving = true;
    this.#pauses.later(this.#plan.after, () => this.#leave());
  }

  #complete(): void {
    this.#responses.finish();
    this.#plan.onAnswered?.();
    if (this.#plan.stay === undefined) this.#finish('open');
    else this.#pauses.later(this.#plan.stay, () => this.#finish('open'));
  }

  #leave(): void {
    this.#ms.left = this.#now();
    this.#finish('we-left');
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
      malformed: undefined,
      bytesSent: this.#sent,
      bytesReceived: this.#received,
      ms: this.#ms,
    });
  }

  #hangUp(ended: ClientAccount['ended']): void {
    if (ended === 'we-left' && this.#plan.how === 'rst') {
      // Not close(CANCEL): Node would end the stream first, and the server would take half of a body for the whole.
      this.#cancel.abort();
      this.#session.close();
    } else this.#session.destroy();
  }

  #now(): number {
    return performance.now() - this.#start;
  }
}
