// The addon needs no liburing: one that was built without it is linked here from the objects of the build, loaded, and walks.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { importable } from '../fixtures/ordinary-user.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

const script = importable(`
  import { capabilities, walk } from 'dirfd';
  const names = [];
  for await (const { path } of walk(process.argv[1])) names.push(path);
  let refusal = '';
  try {
    walk('.', { engine: 'io_uring' });
  } catch (error) {
    refusal = error.message;
  }
  console.log([names.includes('ring.cpp'), capabilities().engine, refusal].join('; '));
`);

test('an addon that was built without liburing works, on threads', (t) => {
  const objects = ['build/Release/obj.target/dirfd', 'build/direct'].find((folder) => existsSync(folder));
  assert.ok(objects, 'build the addon first: npm run build:native');
  const place = temporaryDirectory(t);
  const without = join(place, 'without_ring.o');
  const { variables } = JSON.parse(readFileSync('binding.gyp', 'utf8'));
  const compile = ['-fPIC', '-iquote', 'native', ...variables.standard, '-c', 'native/engine/uring/without_ring.cpp'];
  execFileSync('c++', [...compile, '-o', without]);
  const others = readdirSync(join(objects, 'native'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.o') && !name.startsWith('engine/uring/'))
    .filter((name) => existsSync(join('native', name.replace(/\.o$/, '.cpp'))))
    .map((name) => join(objects, 'native', name));
  const addon = join(place, 'build/Release/dirfd.node');
  mkdirSync(dirname(addon), { recursive: true });
  execFileSync('c++', ['-shared', '-pthread', ...variables.link, ...others, without, '-o', addon]);

  const command = ['--input-type=module', '-e', script, '--', 'native/engine/uring'];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    encoding: 'utf8',
    env: { ...process.env, DIRFD_PREBUILD: place },
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^true; threads; ERR_DIRFD_UNSUPPORTED: .*no liburing/);
});
