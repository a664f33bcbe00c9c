import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

// What THREATS.md asks of the flags, read back from the files that are loaded: the clone's build and each prebuild there is.
const built = 'build/Release/dirfd.node';
const prebuilt = existsSync('prebuilds')
  ? readdirSync('prebuilds', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.node'))
      .map((name) => join('prebuilds', name))
  : [];
const missing = spawnSync('readelf', ['--version']).status !== 0 || spawnSync('objdump', ['--version']).status !== 0;
const skip = missing && 'needs readelf and objdump (binutils)';

for (const file of [built, ...prebuilt]) {
  describe(file, { skip }, () => {
    const readelf = (...options: string[]) =>
      execFileSync('readelf', ['--wide', ...options, file], { encoding: 'utf8' });

    test('binds every symbol at load, so that the offset table can be read-only', () => {
      assert.match(readelf('--dynamic'), /\(FLAGS\).*BIND_NOW/);
      assert.match(readelf('--dynamic'), /\(FLAGS_1\).*NOW/);
      assert.match(readelf('--program-headers'), /GNU_RELRO/);
    });

    test('has no executable stack, no segment both writable and executable, no text relocations', () => {
      const headers = readelf('--program-headers');
      assert.match(headers, /GNU_STACK.* RW /);
      assert.doesNotMatch(headers, / RWE /);
      assert.doesNotMatch(readelf('--dynamic'), /TEXTREL/);
    });

    test('checks its stack frames and its buffers', () => {
      const symbols = readelf('--dyn-syms');
      assert.match(symbols, /__stack_chk_fail/);
      assert.match(symbols, /__\w+_chk@/, 'no fortified function: was _FORTIFY_SOURCE lost?');
    });

    test('marks the targets of indirect calls on x64', { skip: process.arch !== 'x64' && 'x64 only' }, () => {
      const code = execFileSync('objdump', ['--disassemble', '--section=.text', file], {
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      });
      assert.match(code, /endbr64/);
    });

    test('exports the two names that node looks up, and nothing else', () => {
      const exported = readelf('--dyn-syms').match(/^.*GLOBAL DEFAULT +\d+ .*$/gm) ?? [];
      assert.deepEqual(exported.map((line) => line.trim().split(/\s+/).at(-1)).sort(), [
        'napi_register_module_v1',
        'node_api_module_get_api_version_v1',
      ]);
    });

    test('brings its own C++ library: node may be linked with an older one', () => {
      const needed = [...readelf('--dynamic').matchAll(/NEEDED.*\[(.*)\]/g)].map(([, name]) => name!);
      assert.deepEqual(
        needed.filter((name) => !/^(libc|libm|libpthread|libdl|libgcc_s|ld-linux-.*)\.so/.test(name)),
        [],
      );
    });
  });
}
