// createTemporaryFile and linkInto: nameless where the file system can, else a random name that goes when nobody wants it.
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { isDisabled } from '../fixtures/fallbacks.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { assertInjected, strace } from '../fixtures/strace.js';
import { requireTool } from '../fixtures/tools.js';
import { opened, rejects, scratch } from './scratch.js';

expectNoLeaks();

/** Without /proc, a nameless file could be linked by the privileged only. */
const hasRandomNames = isDisabled('tmpfile') || isDisabled('proc');
const randomName = /^\.dirfd-[0-9a-f]{32}$/;

function drafts(path: string): string[] {
  return readdirSync(path).filter((name) => randomName.test(name));
}

test('a temporary file is readable and writable, private, and gone when closed', async (t) => {
  const { path, directory } = await scratch(t);
  const file = await directory.createTemporaryFile();
  await file.writeFile('content');
  await file.seek(0);
  assert.equal(await file.readFile('utf8'), 'content');
  assert.equal((await file.stat()).mode & 0o7777, 0o600);
  assert.equal(drafts(path).length, hasRandomNames ? 1 : 0);
  await file.close();
  assert.deepEqual(readdirSync(path), []);
});

test('linkInto gives it a name that stays, and replaces nothing', async (t) => {
  const { path, directory } = await scratch(t);
  mkdirSync(join(path, 'sub'));
  writeFileSync(join(path, 'taken'), 'old');
  const sub = await opened(t, join(path, 'sub'));
  const file = await directory.createTemporaryFile({ mode: 0o640 });
  await file.writeFile('new');
  await rejects(file.linkInto(directory, 'taken'), { code: 'EEXIST', path: 'taken', directory: path });
  await rejects(file.linkInto(directory, '../x'), 'ERR_DIRFD_PATH_ESCAPE');
  await rejects(file.linkInto(directory, 'missing/x'), 'ENOENT');
  await file.linkInto(sub, 'first');
  await file.linkInto(directory, 'second');
  await file.close();
  assert.deepEqual(readdirSync(path).sort(), ['second', 'sub', 'taken']);
  assert.equal(readFileSync(join(path, 'sub/first'), 'utf8'), 'new');
  assert.equal(lstatSync(join(path, 'second')).ino, lstatSync(join(path, 'sub/first')).ino);
  assert.equal(lstatSync(join(path, 'second')).mode & 0o777, 0o640);
  assert.equal(readFileSync(join(path, 'taken'), 'utf8'), 'old');
});

test('linkInto with replace takes the place of a file or symlink in one step, and leaves no draft', async (t) => {
  const { path, directory } = await scratch(t);
  writeFileSync(join(path, 'victim'), 'untouched');
  symlinkSync('victim', join(path, 'link'));
  writeFileSync(join(path, 'old'), 'old');
  mkdirSync(join(path, 'directory'));
  const held = await directory.openFile('old');
  t.after(() => held.close());
  for (const name of ['old', 'link', 'fresh']) {
    await using file = await directory.createTemporaryFile();
    await file.writeFile(name);
    await file.linkInto(directory, name, { replace: true });
    await file.linkInto(directory, name, { replace: true });
    assert.equal(readFileSync(join(path, name), 'utf8'), name);
    assert.ok(lstatSync(join(path, name)).isFile());
  }
  await using file = await directory.createTemporaryFile();
  await rejects(file.linkInto(directory, 'directory', { replace: true }), { code: 'EISDIR', syscall: 'renameat2' });
  await rejects(file.linkInto(directory, 'directory/', { replace: true }), 'EEXIST');
  await file.close();
  assert.equal(await held.readFile('utf8'), 'old', 'who has the old file open keeps it');
  assert.equal(readFileSync(join(path, 'victim'), 'utf8'), 'untouched');
  assert.deepEqual(readdirSync(path).sort(), ['directory', 'fresh', 'link', 'old', 'victim']);
});

test('an open file that was never temporary gets a further name', async (t) => {
  const { path, directory } = await scratch(t);
  await using file = await directory.openFile('file', 'w+');
  await file.linkInto(directory, 'second');
  assert.equal(lstatSync(join(path, 'file')).nlink, 2);
});

test('a temporary file outlives its directory handle', async (t) => {
  const { path, directory } = await scratch(t);
  const file = await directory.createTemporaryFile();
  const other = await opened(t, path);
  await directory.close();
  await file.writeFile('x');
  await file.linkInto(other, 'kept');
  await file.close();
  assert.deepEqual(readdirSync(path), ['kept']);
});

// The default run has no random names; scripts/test/variants.mjs runs this file again with the fallback.
const withRandomNames = hasRandomNames ? test : () => {};
withRandomNames('closing removes the random name only if it is still the same file', async (t) => {
  const { path, directory } = await scratch(t);
  const file = await directory.createTemporaryFile();
  const [draft = ''] = drafts(path);
  renameSync(join(path, draft), join(path, 'moved'));
  writeFileSync(join(path, draft), 'somebody else');
  await rejects(file.linkInto(directory, 'name'), 'ERR_DIRFD_CHANGED');
  await file.close();
  assert.equal(readFileSync(join(path, draft), 'utf8'), 'somebody else');
  assert.ok(!readdirSync(path).includes('name'));
});

const leaveOne = `
  import { DirectoryFd } from ${JSON.stringify(new URL('dist/index.js', `file://${repositoryRoot}/`).href)};
  import { workerData, parentPort } from 'node:worker_threads';
  const directory = await DirectoryFd.open(workerData ?? process.argv[1]);
  globalThis.kept = await directory.createTemporaryFile();
  parentPort?.postMessage('made');
  if (parentPort) await new Promise(() => setInterval(() => {}, 1000));
`;

test('a worker that is terminated leaves no random name behind', async (t) => {
  const { path } = await scratch(t);
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(leaveOne)}`), { workerData: path });
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await worker.terminate();
  assert.deepEqual(readdirSync(path), []);
});

test('a file system without O_TMPFILE gets a random name', async (t) => {
  if (hasRandomNames || !requireTool(t, 'strace')) return;
  const script = `${leaveOne}
    import { readdirSync } from 'node:fs';
    console.log(JSON.stringify(readdirSync(process.argv[1])));
    await kept.close();`;
  // On the one thread of the pool: open the directory, then "." with O_TMPFILE, to which open(2) has these answers.
  for (const errno of ['EOPNOTSUPP', 'EISDIR']) {
    const { path } = await scratch(t);
    const traced = strace([process.execPath, '--input-type=module', '-e', script, '--', path], {
      trace: [],
      paths: [path],
      inject: [`openat:error=${errno}:when=2`],
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    });
    assertInjected(traced, 'openat');
    assert.match(traced.stdout.trim() || traced.stderr, /^\["\.dirfd-[0-9a-f]{32}"\]$/);
    assert.deepEqual(readdirSync(path), []);
  }
});
