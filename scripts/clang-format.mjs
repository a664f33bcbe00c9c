// Formats native/ and test/native with clang-format, or with --check only says what is not formatted. Versions of clang-format
// disagree on details, so that only the one of Debian 12 is believed; with another, or none, nothing is checked and that is said.

import { execFileSync, spawnSync } from 'node:child_process';

const believed = '14.';

const version = spawnSync('clang-format', ['--version'], { encoding: 'utf8' }).stdout?.match(/version (\S+)/)?.[1];
if (!version?.startsWith(believed)) {
  console.log(`clang-format: skipped, wants version ${believed}x, found ${version ?? 'none'}`);
} else {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.h', '*.cpp', '*.c'], {
    encoding: 'utf8',
  });
  const files = listed.split('\n').filter(Boolean);
  const mode = process.argv.includes('--check') ? ['--dry-run', '-Werror'] : ['-i'];
  const { status } = spawnSync('clang-format', ['--style=file', ...mode, ...files], { stdio: 'inherit' });
  console.log(`clang-format: ${files.length} files, ${status === 0 ? 'ok' : 'not formatted as .clang-format asks'}`);
  process.exitCode = status ?? 1;
}
