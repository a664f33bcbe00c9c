// Makes prebuilds/linux-<arch>/dirfd.<libc>.node, the file that users load without compiling. prebuildify begins by deleting
// build/, so it works on a copy of the sources in build/prebuild and the clone's own build stays.
//
//   node scripts/prebuild.mjs [--reuse]     --reuse: build/Release/dirfd.node, the same build, as it is; for tests, on glibc

import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { findNodedir } from './node-headers.mjs';

const require = createRequire(import.meta.url);
const root = resolve(import.meta.dirname, '..');
const stage = join(root, 'build/prebuild');

if (process.argv.includes('--reuse')) {
  const target = join(root, `prebuilds/linux-${process.arch}/dirfd.glibc.node`);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(root, 'build/Release/dirfd.node'), target);
  execFileSync('strip', [target]);
  process.exit();
}

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
