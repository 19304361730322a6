import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { packedProject } from './packed-project';

const { ModuleKind, ModuleResolutionKind } = ts;

/** How users' projects find modules. Where the resolution knows both, the ending decides between CommonJS and ESM. */
const projects: Record<string, [endings: string[], options: ts.CompilerOptions]> = {
  // TypeScript 6 still knows node10, and says that 7 will not.
  node10: [
    ['ts'],
    {
      module: ModuleKind.CommonJS,
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- users still have it
      moduleResolution: ModuleResolutionKind.Node10,
      ignoreDeprecations: '6.0',
    },
  ],
  'node16, CommonJS and ESM': [['cts', 'mts'], { module: ModuleKind.Node16 }],
  'nodenext, CommonJS and ESM': [['cts', 'mts'], { module: ModuleKind.NodeNext }],
  bundler: [['ts'], { module: ModuleKind.ESNext, moduleResolution: ModuleResolutionKind.Bundler }],
  'node16 with the target and the library of ES2020': [
    ['ts'],
    { module: ModuleKind.Node16, target: ts.ScriptTarget.ES2020, lib: ['lib.es2020.d.ts'] },
  ],
};

/** Compiles the consumer as a user's project would, with every declaration file checked as well. */
function diagnosticsOf(name: string): string[] {
  const [endings, resolution] = projects[name]!;
  const directory = join(packedProject().dir, 'typescript');
  const files = endings.map((ending) => join(directory, `consumer.${ending}`));
  for (const file of files) {
    if (!file.endsWith('.ts')) copyFileSync(join(directory, 'consumer.ts'), file);
  }
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    types: ['node'],
    typeRoots: [join(packedProject().dir, 'node_modules/@types')],
    strict: true,
    exactOptionalPropertyTypes: true,
    esModuleInterop: true,
    skipLibCheck: false,
    noEmit: true,
    ...resolution,
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) =>
        `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
}

describe('TypeScript, with skipLibCheck off', () => {
  it.each(Object.keys(projects))('finds the types of every entry point under %s', (name) => {
    expect(diagnosticsOf(name)).toEqual([]);
  });
});
