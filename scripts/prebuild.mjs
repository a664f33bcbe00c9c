// Makes prebuilds/linux-<arch>/dirfd.<libc>.node, the file that users load without compiling. prebuildify begins by deleting
// build/, so it works on a copy of the sources in build/prebuild and the clone's own build stays.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { findNodedir } from './node-headers.mjs';

const require = createRequire(import.meta.url);
const root = resolve(import.meta.dirname, '..');
const stage = join(root, 'build/prebuild');

rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });
for (const source of ['native', 'binding.gyp', 'package.json']) {
  cpSync(join(root, source), join(stage, source), { recursive: true });
}

const nodedir = findNodedir();
const prebuildify = join(dirname(require.resolve('prebuildify/package.json')), 'bin.js');
const args = [
  prebuildify,
  '--napi',
  '--tag-libc',
  '--strip',
  `--target=${process.versions.node}`,
  '--cwd',
  stage,
  '--out',
  root,
];
execFileSync(process.execPath, args, {
  stdio: 'inherit',
  env: { ...process.env, JOBS: process.env.JOBS ?? '2', ...(nodedir && { npm_config_nodedir: nodedir }) },
});
rmSync(stage, { recursive: true });
