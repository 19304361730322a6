#!/usr/bin/env node
import { conformanceCommand } from './conformance-command';

void conformanceCommand(
  process.argv.slice(2),
  (text) => process.stdout.write(text),
  (text) => process.stderr.write(text),
).then((code) => {
  process.exitCode = code;
});
