import { currentSignal } from 'express-hangup';

export const dynamic = 'force-dynamic';

export async function GET(request) {
  await globalThis.world.slow({ signal: currentSignal(), own: request.signal });
  return Response.json({ late: true });
}
