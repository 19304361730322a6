import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { rules } from 'express-hangup/eslint';

const directory = join(__dirname, 'rules');
const files = readdirSync(directory);

it('each rule has a file of cases', () => {
  expect(files).toEqual(
    Object.keys(rules)
      .map((name) => `${name}.ts`)
      .sort(),
  );
});

// All in this test file: for each further one Jest would load ESLint and TypeScript again.
for (const file of files) jest.requireActual(join(directory, file));
