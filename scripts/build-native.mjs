// Builds build/Release/dirfd.node. node-gyp does it where it can: it needs python3, make and Node's headers. A machine that has
// nothing but Node and a C++ compiler gets the same file from one compiler call a source, with the flags read from binding.gyp
// and the headers of node-api-headers. Neither way looks at the network.
//
//   node scripts/build-native.mjs [--direct] [--debug]

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { findNodedir } from './node-headers.mjs';

const require = createRequire(import.meta.url);
const root = resolve(import.meta.dirname, '..');
const jobs = Math.min(availableParallelism(), Number(process.env.JOBS) || 2);

const nodedir = findNodedir();
if (process.argv.includes('--direct') || !nodedir || !runs('python3') || !runs('make')) await buildDirectly();
else buildWithNodeGyp(nodedir);

function buildWithNodeGyp(prefix) {
  const gyp = join(dirname(require.resolve('node-gyp/package.json')), 'bin/node-gyp.js');
  const args = [gyp, 'configure', 'build', `--nodedir=${prefix}`, `--jobs=${jobs}`, '--loglevel=warn'];
  if (process.argv.includes('--debug')) args.push('--debug');
  execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
}

async function buildDirectly() {
  const compiler = (process.env.CXX ?? ['c++', 'g++', 'clang++'].find(runs) ?? 'c++').split(' ');
  const { variables } = JSON.parse(readFileSync(join(root, 'binding.gyp'), 'utf8'));
  const sources = readFileSync(join(root, 'native/sources.txt'), 'utf8').trim().split('\n');
  const objects = join(root, 'build/direct');
  const liburing = execFileSync('sh', ['native/liburing.sh'], { cwd: root, encoding: 'utf8' }).trim();
  const flags = [
    ...['-fPIC', '-pthread', '-iquote', 'native'],
    ...['-isystem', dirname(require.resolve('node-addon-api'))],
    ...['-isystem', require('node-api-headers').include_dir],
    ...variables.defines.map((define) => `-D${define}`),
    ...['-DNODE_GYP_MODULE_NAME=dirfd', '-DBUILDING_NODE_EXTENSION'],
    ...(liburing ? ['-DDIRFD_LIBURING'] : []),
    ...variables.warnings,
    ...variables.hardening,
    ...(variables[`hardening_${process.arch}`] ?? []),
    ...variables.standard,
  ];

  console.log(`native: ${compiler.join(' ')} without node-gyp, ${sources.length} sources`);
  const objectOf = (source) => join(objects, source.replace(/\.cpp$/, '.o'));
  const waiting = [...sources];
  const compileNext = async () => {
    for (let source = waiting.shift(); source; source = waiting.shift()) {
      mkdirSync(dirname(objectOf(source)), { recursive: true });
      await run([...compiler, ...flags, '-c', source, '-o', objectOf(source)]);
    }
  };
  await Promise.all(Array.from({ length: jobs }, compileNext));

  mkdirSync(join(root, 'build/Release'), { recursive: true });
  const target = join(root, 'build/Release/dirfd.node');
  const linked = [...sources.map(objectOf), ...(liburing ? [liburing] : [])];
  await run([...compiler, '-shared', '-pthread', ...variables.link, ...linked, '-o', target]);
}

function run([program, ...args]) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit' });
    child.once('error', (cause) => fail(new Error(`a C++20 compiler is needed: ${program} does not start`, { cause })));
    child.once('exit', (code) => (code === 0 ? done() : fail(new Error(`${program} ended with ${code}`))));
  });
}

function runs(program) {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
