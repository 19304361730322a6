export const dynamic = 'force-dynamic';

export async function GET() {
  const answer = await fetch(globalThis.world.upstream, { cache: 'no-store' });
  return Response.json(await answer.json());
}
