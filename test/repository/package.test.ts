import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const place = mkdtempSync(join(tmpdir(), 'dirfd-package-'));
after(() => rmSync(place, { recursive: true }));

// Lifecycle scripts are left out: prepack would compile dist again under the tests that run beside this one.
const pack = (...options: string[]) =>
  JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...options], { encoding: 'utf8' }))[0];

describe('the packed files', () => {
  const files: string[] = pack('--dry-run').files.map((file: { path: string }) => file.path);

  test('are what users need and nothing else', () => {
    const tops = new Set(files.map((file) => file.split('/')[0]));
    const expected = [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'binding.gyp',
      'dist',
      'native',
      'package.json',
    ];
    for (const optional of ['docs', 'prebuilds'])
      if (existsSync(optional) && tops.has(optional)) expected.push(optional);
    assert.deepEqual([...tops].sort(), expected.sort());
  });

  test('hold the JavaScript and the types of every source, and none of a source that is gone', () => {
    const sources = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const wanted = sources.flatMap((name) =>
      ['.js', '.js.map', '.d.ts'].map((end) => `dist/${name.replace(/\.ts$/, end)}`),
    );
    assert.deepEqual(files.filter((file) => file.startsWith('dist/')).sort(), wanted.sort());
  });

  test('hold every native source, so that the addon can be built from them', () => {
    for (const source of readFileSync('native/sources.txt', 'utf8').trim().split('\n'))
      assert.ok(files.includes(source), source);
  });

  test('run nothing when they are installed', () => {
    assert.equal(manifest.gypfile, false); // else npm runs node-gyp because there is a binding.gyp
    for (const hook of ['preinstall', 'install', 'postinstall']) assert.equal(manifest.scripts[hook], undefined);
  });
});

describe('the packed tarball', () => {
  const canPrebuild = spawnSync('strip', ['--version']).status === 0;
  let tarball: string;

  before(() => {
    if (canPrebuild && !prebuildIsFresh())
      execFileSync(process.execPath, ['scripts/prebuild.mjs', '--reuse'], { stdio: 'pipe' });
    tarball = join(place, pack('--pack-destination', place).filename);
  });

  test('is clean for publint', async () => {
    const { messages } = await publint({ pack: { tarball: arrayBuffer(readFileSync(tarball)) }, strict: true });
    const told = messages.map((message) => formatMessage(message, manifest));
    assert.deepEqual(
      told.filter((text) => !text?.includes('repository')),
      [],
    );
  });

  test('has types that attw accepts, for import and for require', async () => {
    const attw = join(dirname(require.resolve('@arethetypeswrong/cli/package.json')), 'dist/index.js');
    // cjs-resolves-to-esm: on purpose. Node 20.19 and later load ES modules with require().
    const options = ['--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm', '--format', 'ascii'];
    const { stdout } = await run(process.execPath, [attw, tarball, ...options]).catch((error) => error);
    assert.match(stdout, /No problems found/, stdout);
  });

  test('loads in an empty folder after npm install --ignore-scripts', {
    skip: !canPrebuild && 'needs strip',
  }, async (t) => {
    const folder = mkdtempSync(join(place, 'user-'));
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const environment = { ...process.env, DIRFD_PREBUILD: '' };
    try {
      const args = [
        'install',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        '--prefer-offline',
        '--fetch-retries=0',
        tarball,
      ];
      await run('npm', args, { cwd: folder });
    } catch (error) {
      const offline = /npm error code (ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH)/.test(String(error));
      if (!offline) throw error;
      return t.skip('needs the npm registry, for the dependencies');
    }
    const others = (process.env.DIRFD_TEST_NODES ?? '').split(':').filter(Boolean);
    for (const node of [process.execPath, ...others]) {
      const ask = async (...args: string[]) => (await run(node, args, { cwd: folder, env: environment })).stdout.trim();
      const name = `'DirectoryFd' in dirfd && typeof dirfd.walk === 'function'`;
      assert.equal(
        await ask('--input-type=module', '-e', `import * as dirfd from 'dirfd'; console.log(${name})`),
        'true',
      );
      assert.equal(
        await ask('--input-type=commonjs', '-e', `const dirfd = require('dirfd'); console.log(${name})`),
        'true',
      );
      const fs = `typeof fs.cp === 'function'`;
      assert.equal(
        await ask('--input-type=module', '-e', `import * as fs from 'dirfd/fs'; console.log(${fs})`),
        'true',
      );
      assert.equal(
        await ask('--input-type=commonjs', '-e', `const fs = require('dirfd/fs'); console.log(${fs})`),
        'true',
      );
      assert.equal(await ask('node_modules/dirfd/dist/cli/dirfd.js', '--version'), manifest.version);
    }
  });
});

function prebuildIsFresh(): boolean {
  const prebuild = resolve(`prebuilds/linux-${process.arch}`, 'dirfd.glibc.node');
  if (!existsSync(prebuild)) return false;
  const made = statSync(prebuild).mtimeMs;
  const sources = readdirSync('native', { recursive: true, encoding: 'utf8' }).map((name) => join('native', name));
  return [...sources, 'binding.gyp'].every((source) => statSync(source).mtimeMs < made);
}

function arrayBuffer(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
