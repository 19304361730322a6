// A client of Prisma 7, as `prisma generate` would write it into an app: without an engine of its own, over a pool of pg.
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { getPrismaClient } from '@prisma/client/runtime/client';

const require = createRequire(import.meta.url);

/**
 * `prisma generate` itself does not run here: its command downloads a program first. So what it wrote once for a schema with one
 * model is kept as prisma-client.json: `model Note { id Int @id @default(autoincrement()), text String }`, version 7.10.1.
 */
const generated = require('./prisma-client.json');

const PrismaClient = getPrismaClient({
  ...generated,
  compilerWasm: {
    getRuntime: async () => require('@prisma/client/runtime/query_compiler_fast_bg.postgresql.js'),
    getQueryCompilerWasmModule: async () => {
      const { wasm } = require('@prisma/client/runtime/query_compiler_fast_bg.postgresql.wasm-base64.js');
      return new globalThis.WebAssembly.Module(Buffer.from(wasm, 'base64'));
    },
    importName: './query_compiler_fast_bg.js',
  },
});

export const CREATE_NOTES = 'CREATE TABLE "Note" (id serial PRIMARY KEY, text text NOT NULL)';

/** A client that takes its connections from this pool. `$disconnect()` does not end the pool. */
export function prismaOver(pool, options = {}) {
  return new PrismaClient({ adapter: new PrismaPg(pool), ...options });
}
