import type { Undici } from '../load-undici';
import type { UpstreamRequestInit } from '../types';

type Body = UpstreamRequestInit['body'];

/** Bodies that can be read more than once, by their `Object.prototype.toString` name: it is the same in every realm. */
const REPLAYABLE = /^\[object (?:FormData|URLSearchParams|Blob|File|ArrayBuffer|SharedArrayBuffer)\]$/;

/** Whether a body can be sent a second time: strings, bytes, forms and blobs can, streams and iterables cannot. */
export function isReplayable(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return true;
  return ArrayBuffer.isView(body) || REPLAYABLE.test(Object.prototype.toString.call(body));
}

/** Turns Node's own FormData into undici's: undici's fetch would send any other as the text `[object FormData]`. */
export function bodyForUndici(undici: Undici, body: Body): Body | InstanceType<Undici['FormData']> {
  if (!isFormData(body) || body instanceof undici.FormData) return body;
  const form = new undici.FormData();
  for (const [name, value] of body) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, value, value.name);
  }
  return form;
}

function isFormData(body: unknown): body is FormData {
  return Object.prototype.toString.call(body) === '[object FormData]';
}
