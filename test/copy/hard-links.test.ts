// A file of several names is remembered until its last name has come, and in few bytes.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { linkSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { copyTree, DirectoryFd } from 'dirfd';
import { HardLinks, type LinkKey, type Name } from '#dist/copy/hard-links.js';
import { newNativeCopy } from '#dist/copy/native-copy.js';
import { settle } from '#dist/copy/options.js';
import { native } from '#dist/native/load.js';
import { DECISION } from '#dist/native/trees.js';
import { assertSameTree } from '../fixtures/compare.js';
import { ordinaryDirectory, ordinaryUserCanRun, runAsOrdinaryUser } from '../fixtures/ordinary-user.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes, of what V8 does not manage. */
function nativeMemory(): number {
  collectGarbage();
  const { rss, heapTotal, arrayBuffers } = process.memoryUsage();
  return rss - heapTotal - arrayBuffers;
}

const keyOf = (index: number): LinkKey => Buffer.from(BigUint64Array.of(35n, 2049n, BigInt(1_000_000 + index)).buffer);
const copyOf = (index: number) => ({
  path: Buffer.from(`some/directory/of/a/tree/number-${index >> 5}/file-${index}`),
  ticket: Buffer.concat([keyOf(index).subarray(0, 8), keyOf(index).subarray(16), Buffer.alloc(24, index & 0xff)]),
});
const name = { decision: DECISION.create, present: undefined } as Name<number>;

async function newLinks(t: TestContext): Promise<HardLinks<number>> {
  const directory = await DirectoryFd.open(temporaryDirectory(t));
  const options = settle({}, { verb: 'copy' });
  const copy = newNativeCopy({ source: directory, destination: directory }, options, native.newJob());
  t.after(() => native.endCopy(copy));
  t.after(() => directory.close());
  return new HardLinks(copy);
}

test('a file whose other name is far away costs less than 300 bytes, and is forgotten once it has come', async (t) => {
  const count = 50_000;
  const links = await newLinks(t);
  const before = nativeMemory();
  for (let index = 0; index < count; index++) {
    assert.equal(links.claim(keyOf(index), 2, name), 'first');
    links.done(keyOf(index), copyOf(index));
  }
  const each = (nativeMemory() - before) / count;
  t.diagnostic(`${each.toFixed(0)} bytes a file`);
  assert.ok(each < 300, `${each.toFixed(0)} bytes a file`);
  for (let index = 0; index < count; index++) {
    const first = links.claim(keyOf(index), 2, name);
    assert.ok(typeof first === 'object' && first.path.equals(copyOf(index).path));
  }
  for (let index = 0; index < count; index++) {
    assert.equal(links.claim(keyOf(index), 2, name), 'first', 'a name too many begins anew');
  }
});

test('a file of many names is kept until the last; names that came early wait, and one of them takes the place of a first that failed', async (t) => {
  const links = await newLinks(t);
  const key = keyOf(1);
  const at = (directory: number): Name<number> => ({ ...name, directory });
  assert.equal(links.claim(key, 6, at(1)), 'first');
  assert.equal(links.claim(key, 6, at(2)), undefined);
  assert.equal(links.claim(key, 6, at(3)), undefined);
  assert.equal(links.failed(key)?.directory, 2);
  assert.deepEqual(
    links.done(key, copyOf(1)).map(({ directory }) => directory),
    [3],
  );
  for (let later = 0; later < 3; later++) assert.deepEqual(links.claim(key, 6, at(4)), copyOf(1));
  assert.equal(links.claim(key, 6, at(5)), 'first');
  assert.equal(links.failed(key), undefined);
  assert.equal(links.claim(key, 6, at(6)), 'first', 'nobody waited: the claim has lapsed');
});

test('names that many threads come to at one time are names of one file, large or small', async (t) => {
  const base = temporaryDirectory(t);
  const source = join(base, 'source');
  const contents = { small: Buffer.alloc(100, 's'), large: Buffer.alloc(12 << 20, 'l'), linked: 'nowhere' };
  for (let directory = 0; directory < 24; directory++) {
    mkdirSync(join(source, `${directory}`), { recursive: true });
    for (const [file, content] of Object.entries(contents)) {
      const path = join(source, `${directory}`, file);
      if (directory > 0) linkSync(join(source, '0', file), path);
      else if (typeof content === 'string') symlinkSync(content, path);
      else writeFileSync(path, content);
    }
  }
  const report = await copyTree(source, join(base, 'copy'), { concurrency: 8 });
  assert.deepEqual([report.files, report.symlinks, report.hardLinks, report.errorCount], [2, 1, 3 * 23, 0]);
  assertSameTree(source, join(base, 'copy'));
});

test('each name of a file that cannot be read is told of, and none is waited for', (t) => {
  if (!ordinaryUserCanRun(t)) return;
  const directory = ordinaryDirectory(t);
  const script = `
    import { chmodSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
    import { copyTree } from 'dirfd';
    for (let i = 0; i < 24; i++) mkdirSync('source/' + i, { recursive: true });
    writeFileSync('source/0/file', 'secret');
    for (let i = 1; i < 24; i++) linkSync('source/0/file', 'source/' + i + '/file');
    chmodSync('source/0/file', 0);
    const { errors, directories, files, hardLinks } = await copyTree('source', 'copy', { onError: 'continue', concurrency: 8 });
    console.log(JSON.stringify({ paths: errors.map(({ path }) => path).sort(), codes: [...new Set(errors.map(({ error }) => error.code))], directories, files, hardLinks }));
  `;
  const { stdout, stderr } = runAsOrdinaryUser(directory, script);
  const paths = Array.from({ length: 24 }, (_, i) => `${i}/file`).sort();
  const expected = { paths, codes: ['EACCES'], directories: 24, files: 0, hardLinks: 0 };
  assert.deepEqual(JSON.parse(stdout || 'null'), expected, stderr);
});

// Which of the names comes first is the threads' to say: each of them is replaced once.
for (const [options, replaced, stays] of [
  [{}, 'a', 'b'],
  [{}, 'b', 'a'],
  [{ itemize: true }, 'a', 'b'],
  [{ itemize: true }, 'b', 'a'],
] as const) {
  const how = `${JSON.stringify(options)}: ${replaced}`;
  test(`no name is lost where the one that others wait for has become another file, ${how}`, async (t) => {
    const base = temporaryDirectory(t);
    const [source, copy, other] = ['source', 'copy', 'other'].map((name) => join(base, name)) as [
      string,
      string,
      string,
    ];
    for (const directory of ['a', 'b']) mkdirSync(join(source, directory), { recursive: true });
    writeFileSync(join(source, 'a', 'file'), Buffer.alloc(12 << 20, 'x'));
    linkSync(join(source, 'a', 'file'), join(source, 'b', 'file'));
    writeFileSync(other, 'another');
    linkSync(other, `${other} too`);
    const script = `
      const { openSync, writeSync } = require('fs');
      for (const file = openSync(require('worker_threads').workerData, 'r+'); ; ) writeSync(file, 'y', 0);`;
    const writer = new Worker(script, { eval: true, workerData: join(source, 'a', 'file') });
    await once(writer, 'online');
    await sleep(50);
    // The first is torn, and tried again when it is another file.
    if ('itemize' in options) mkdirSync(copy);
    const job = copyTree(source, copy, { ...options, retries: 1, retryDelay: 600, concurrency: 2 });
    await sleep(300);
    await writer.terminate();
    renameSync(other, join(source, replaced, 'file'));
    assert.equal((await job).errorCount, 0);
    const [now, before] = [replaced, stays].map((name) => readFileSync(join(copy, name, 'file')));
    const stayed = readFileSync(join(source, stays, 'file'));
    assert.ok(before?.equals(stayed));
    assert.ok(now?.equals(stayed) || now?.toString() === 'another');
  });
}
