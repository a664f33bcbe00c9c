// Runs the compiled tests. First form: every file below build/test, or those whose path holds one of the words given.
//
//   node scripts/test.mjs [--variants=default] [word...]

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const words = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const files = readdirSync('build/test', { recursive: true })
  .map((name) => join('build/test', name))
  .filter((name) => name.endsWith('.test.js') && (words.length === 0 || words.some((word) => name.includes(word))))
  .sort();
if (files.length === 0) throw new Error(`no test file matches ${words.join(' ')}`);
process.exitCode = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' }).status ?? 1;
