import type { IncomingMessage } from 'node:http';
import type { GatewayFault } from './fault';

/** A body and its type. */
export interface Representation {
  contentType: string;
  body: string;
}

const TYPES = ['application/problem+json', 'application/json', 'text/html', 'text/plain'];

interface Negotiating extends IncomingMessage {
  accepts?(types: string[]): string | false;
}

/**
 * The body for a fault, in the type that the request's `Accept` prefers: problem details (RFC 9457) unless it
 * prefers HTML or plain text. The text is constant and names no cause, host or path.
 */
export function representationOf(fault: GatewayFault, req: Negotiating): Representation {
  const type = (req.accepts?.(TYPES) ?? TYPES[0]) || TYPES[0];
  if (type === 'text/html') return { contentType: 'text/html; charset=utf-8', body: html(fault) };
  if (type === 'text/plain') return { contentType: 'text/plain; charset=utf-8', body: text(fault) };
  return { contentType: 'application/problem+json', body: problem(fault) };
}

function problem({ title, status, detail, code }: GatewayFault): string {
  return JSON.stringify({ type: 'about:blank', title, status, detail, code });
}

function text({ status, title, detail }: GatewayFault): string {
  return `${status} ${title}\n${detail}\n`;
}

function html({ status, title, detail }: GatewayFault): string {
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>${status} ${title}</title></head>
<body><h1>${status} ${title}</h1><p>${detail}</p></body>
</html>
`;
}
