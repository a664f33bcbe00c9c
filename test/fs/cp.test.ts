// The table of cp, with dirfd/fs and with Node's own.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cp as nodeCp,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { cp as cpPromise } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { cp } from 'dirfd/fs';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireRoot } from '../fixtures/tools.js';
import { type Case, cases } from './cp-cases.js';
import { changes, makeTree, readTree } from './tree-lines.js';

type Cp = (src: string, dest: string, options?: object) => Promise<void>;

async function outcome(t: TestContext, call: Cp, { tree, src = 'src', dest = 'dest', options }: Case) {
  const root = temporaryDirectory(t);
  makeTree(root, tree);
  const before = readTree(root);
  const [from, to] = [src, dest].map((path) => `${root}/${path}`) as [string, string];
  const code = await call(from, to, options).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
  return { code, changes: changes(before, readTree(root)) };
}

describe('cp', () => {
  for (const each of cases) {
    test(each.name, async (t) => {
      assert.deepEqual(await outcome(t, cp, each), { code: each.code, changes: each.changes });
    });
  }
});

describe('fs.promises.cp does the same:', () => {
  const isKnown = process.versions.node.startsWith('20.');
  for (const each of cases) {
    const { node, name } = each;
    if (node?.changes[0] === 'deep') continue; // The trees that it leaves are too deep to be told here.
    const told = node ? `${name} — no: ${node.because}` : name;
    test(told, { skip: !isKnown && 'the table tells of Node 20' }, async (t) => {
      const expected = node ?? each;
      assert.deepEqual(await outcome(t, cpPromise, each), { code: expected.code, changes: expected.changes });
    });
  }
});

test('cp keeps permission bits, and times with preserveTimestamps', async (t) => {
  const root = temporaryDirectory(t);
  makeTree(root, ['0640 src/a = x', '0500 src/d/', '0444 src/read-only = y']);
  const moment = new Date('2001-02-03T04:05:06.789Z');
  utimesSync(join(root, 'src/read-only'), moment, moment);
  await cp(`${root}/src`, `${root}/dest`, { recursive: true });
  const mode = (path: string) => (statSync(join(root, path)).mode & 0o7777).toString(8);
  assert.deepEqual([mode('dest/a'), mode('dest/d'), mode('dest/read-only')], ['640', '500', '444']);
  assert.notEqual(statSync(join(root, 'dest/read-only')).mtimeMs, moment.getTime());
  utimesSync(join(root, 'src/read-only'), moment, moment); // the first copy has read it
  await cp(`${root}/src`, `${root}/dest`, { recursive: true, preserveTimestamps: true });
  const { atimeMs, mtimeMs } = statSync(join(root, 'dest/read-only'));
  assert.deepEqual([atimeMs, mtimeMs], [moment.getTime(), moment.getTime()]);
});

test('cp takes URLs and bytes, relative paths and the current directory', async (t) => {
  const root = temporaryDirectory(t);
  makeTree(root, ['src/a = x']);
  await cp(pathToFileURL(`${root}/src/a`), pathToFileURL(`${root}/by-url`));
  const odd = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])]);
  await cp(Buffer.from(`${root}/src/a`), odd);
  assert.equal(readFileSync(odd, 'utf8'), 'x');
  unlinkSync(odd);
  const script = `import { cp } from 'dirfd/fs'; await cp('.', '../copy', { recursive: true }); await cp('a', './b');`;
  const entry = pathToFileURL(join(process.cwd(), 'dist/fs/main.js')).href;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script.replace('dirfd/fs', entry)], {
    cwd: `${root}/src`,
    encoding: 'utf8',
  });
  assert.equal(ran.status, 0, ran.stderr);
  assert.deepEqual(readTree(root), ['by-url = x', 'copy/a = x', 'src/a = x', 'src/b = x']);
});

test('cp drops the set-user-id bit of another user’s file, which fs.cp makes its own', async (t) => {
  if (!requireRoot(t)) return;
  const root = temporaryDirectory(t);
  makeTree(root, ['src = x']);
  chownSync(`${root}/src`, 12345, 12345);
  chmodSync(`${root}/src`, 0o4755);
  await cp(`${root}/src`, `${root}/dest`);
  assert.equal(statSync(`${root}/dest`).mode & 0o7777, 0o755);
});

test('cp refuses a device, which fs.cp opens and reads', async (t) => {
  const root = temporaryDirectory(t);
  await assert.rejects(cp('/dev/null', `${root}/dest`), { code: 'ERR_FS_CP_UNKNOWN', syscall: 'cp' });
});

test('an error of cp has the fields and the words of Node’s', async (t) => {
  const root = temporaryDirectory(t);
  makeTree(root, ['src/a = x']);
  const theirs: NodeJS.ErrnoException = await new Promise((resolve) =>
    nodeCp(`${root}/src`, `${root}/dest`, (error) => resolve(error as NodeJS.ErrnoException)),
  );
  await assert.rejects(cp(`${root}/src`, `${root}/dest`), (error: NodeJS.ErrnoException) => {
    assert.deepEqual([error.code, error.path, error.syscall], [theirs.code, theirs.path, theirs.syscall]);
    assert.match(error.message, /cp returned EISDIR \(.*src is a directory \(not copied\)\)/);
    return true;
  });
});

test('a replaced file was never gone, and never half there', async (t) => {
  const root = temporaryDirectory(t);
  writeFileSync(`${root}/src`, Buffer.alloc(1 << 20, 1));
  writeFileSync(`${root}/dest`, Buffer.alloc(1 << 20, 2));
  let done = false;
  const copying = cp(`${root}/src`, `${root}/dest`).then(() => {
    done = true;
  });
  while (!done) {
    assert.equal(statSync(`${root}/dest`).size, 1 << 20);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await copying;
});

test('a link in a directory’s place, swapped in at dest, is not written through', async (t) => {
  const root = temporaryDirectory(t);
  makeTree(root, ['src/d/a = x', 'dest/', 'outside/']);
  symlinkSync('../outside', `${root}/dest/d`);
  await assert.rejects(cp(`${root}/src`, `${root}/dest`, { recursive: true }), { code: 'ERR_FS_CP_DIR_TO_NON_DIR' });
  assert.deepEqual(readTree(`${root}/outside`), []);
});
