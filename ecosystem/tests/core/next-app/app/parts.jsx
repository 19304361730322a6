import { currentSignal } from 'express-hangup';
import { Suspense } from 'react';

async function Second() {
  await globalThis.world.part(currentSignal());
  return <p>second part</p>;
}

/** A page that is sent in two parts. */
export function Parts() {
  return (
    <>
      <h1>first part</h1>
      <Suspense fallback={<i>waiting</i>}>
        <Second />
      </Suspense>
    </>
  );
}
