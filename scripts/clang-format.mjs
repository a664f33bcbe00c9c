// Formats the C and C++ sources with clang-format, or with --check only says what is not formatted. Versions of clang-format
// disagree on details, so that only the one of Debian 12 is believed; with another, or none, nothing is checked and that is said.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const believed = '14.';

const version = spawnSync('clang-format', ['--version'], { encoding: 'utf8' }).stdout?.match(/version (\S+)/)?.[1];
if (!version?.startsWith(believed)) {
  console.log(`clang-format: skipped, wants version ${believed}x, found ${version ?? 'none'}`);
} else {
  const files = ['native', 'test', 'bench'].flatMap(sourcesBelow);
  const mode = process.argv.includes('--check') ? ['--dry-run', '-Werror'] : ['-i'];
  const { status } = spawnSync('clang-format', ['--style=file', ...mode, ...files], { stdio: 'inherit' });
  console.log(`clang-format: ${files.length} files, ${status === 0 ? 'ok' : 'not formatted as .clang-format asks'}`);
  process.exitCode = status ?? 1;
}

function sourcesBelow(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(c|cpp|h)$/.test(name) && !name.includes('node_modules'))
    .map((name) => join(folder, name));
}
