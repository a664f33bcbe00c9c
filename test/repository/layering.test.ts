import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { areaOf, libViolations, nativeViolations, syscallSymbols, type Violation } from './layers.js';

describe('the sources', () => {
  test('of lib import downwards only', () => {
    assert.deepEqual(violations('lib', '.ts', libViolations), []);
  });

  test('of native include downwards only, and know Node-API in binding alone', () => {
    assert.deepEqual(violations('native', '.cpp', nativeViolations), []);
    assert.deepEqual(violations('native', '.h', nativeViolations), []);
  });

  test('of native enter the kernel in sys alone, besides the ring', () => {
    const users = objects().filter(({ file }) => syscallSymbols(undefinedSymbols(file)).length > 0);
    const outside = users.filter(({ source }) => areaOf(source) !== 'sys' && !/^engine\/.*uring/.test(source));
    assert.deepEqual(
      outside.map(({ file, source }) => `${source}: ${syscallSymbols(undefinedSymbols(file)).join(' ')}`),
      [],
    );
    assert.ok(users.length > 0, 'no object file of native/sys calls the kernel: the check sees nothing');
  });
});

describe('a planted violation is found:', () => {
  const planted: [string, Violation[]][] = [
    ['walk knows copy', libViolations('walk/x.ts', `import { copyTree } from '../copy/index.js';`)],
    ['walk knows audit, its equal', libViolations('walk/x.ts', `import type { A } from '../audit/index.js';`)],
    ['lock knows atomic', libViolations('lock/x.ts', `import type { A } from '../atomic/index.js';`)],
    ['dirfd knows walk by a dynamic import', libViolations('dirfd/x.ts', `await import('../walk/index.js')`)],
    ['native knows errors', libViolations('native/load.ts', `import { FsError } from '../errors.js';`)],
    ['native re-exports dirfd', libViolations('native/load.ts', `export * from '../dirfd/directory-fd.js';`)],
    ['a command reaches for an internal', libViolations('cli/x.ts', `import { plan } from '../copy/plan.js';`)],
    ['a file has no place', libViolations('helpers/x.ts', `import { a } from '../errors.js';`)],
    ['sys knows ops', nativeViolations('sys/x.h', '#include "ops/list.h"\n')],
    ['ops knows engine', nativeViolations('ops/x.cpp', '#include "engine/queue.h"\n')],
    ['ops knows Node-API', nativeViolations('ops/x.cpp', '#include <napi.h>\n')],
    ['engine knows libuv', nativeViolations('engine/x.cpp', '  #  include <uv.h>\n')],
  ];
  for (const [name, found] of planted) test(name, () => assert.equal(found.length, 1));

  test('ops calls the kernel, also through a fortified or a 64-bit name', () => {
    const symbols = [
      'memcpy',
      'openat',
      '__openat_2',
      '__read_chk',
      'pread64',
      '__openat64_2',
      '_ZN5dirfd3sys6openatEv',
    ];
    assert.deepEqual(syscallSymbols(symbols), ['openat', '__openat_2', '__read_chk', 'pread64', '__openat64_2']);
  });

  test('and what is allowed is not', () => {
    assert.deepEqual(libViolations('copy/x.ts', `import { walk } from '../walk/index.js';\nimport './plan.js';`), []);
    assert.deepEqual(
      libViolations('cli/x.ts', `import { walk } from '../index.js';\nimport { bar } from './bar.js';`),
      [],
    );
    assert.deepEqual(nativeViolations('binding/x.cpp', '#include <napi.h>\n#include "ops/list.h"\n'), []);
  });
});

function violations(root: string, extension: string, check: (file: string, text: string) => Violation[]): Violation[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .flatMap((name) => check(name, readFileSync(join(root, name), 'utf8')));
}

/** The object files of the release build, by node-gyp or by a compiler alone. */
function objects(): { file: string; source: string }[] {
  const root = ['build/Release/obj.target/dirfd/native', 'build/direct/native'].find((folder) => existsSync(folder));
  assert.ok(root, 'build the addon first: npm run build:native');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.o') && existsSync(join('native', name.replace(/\.o$/, '.cpp'))))
    .map((name) => ({ file: join(root, name), source: name }));
}

function undefinedSymbols(object: string): string[] {
  const listed = execFileSync('nm', ['--undefined-only', '--format=just-symbols', object], { encoding: 'utf8' });
  return listed.split('\n').map((line) => line.split('@')[0]!);
}
