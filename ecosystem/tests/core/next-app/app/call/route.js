import { gateway } from '../gateway';

export const dynamic = 'force-dynamic';

export const GET = gateway(async () => {
  const answer = await fetch(globalThis.world.upstream, { cache: 'no-store' });
  return Response.json(await answer.json());
});
