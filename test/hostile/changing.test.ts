// Trees that change under the reader so that a look at size and time cannot tell.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyTree, type FsError, walk } from 'dirfd';
import { assertComplete } from '../copy/pair.js';
import { quickTemporaryRoot, temporaryDirectory } from '../fixtures/temporary.js';
import { everyByte } from '../fixtures/trees/plain.js';

test('a file whose size and modification time are set back after each write is torn all the same', async (t) => {
  const base = temporaryDirectory(t);
  const source = join(base, 'source');
  mkdirSync(source);
  // So large that the writer gets its turn in each attempt.
  writeFileSync(join(source, 'busy'), Buffer.alloc(128 << 20));
  const writer = spawn(process.execPath, [
    '-e',
    `const fs = require('fs'); const fd = fs.openSync(process.argv[1], 'r+');
     fs.futimesSync(fd, 1e9, 1e9);
     console.log('writing');
     for (let i = 0; ; i++) { fs.writeSync(fd, String(i), i % 60000000); fs.futimesSync(fd, 1e9, 1e9); }`,
    join(source, 'busy'),
  ]);
  try {
    await new Promise((resolve) => writer.stdout.once('data', resolve));
    const copying = copyTree(source, join(base, 'copy'), { reflink: 'never' }); // a clone is of one moment
    await assert.rejects(
      async () => await copying,
      (error: FsError) => error.code === 'ERR_DIRFD_TORN' && error.path === 'busy',
    );
    assert.deepEqual(readdirSync(join(base, 'copy')), []);
  } finally {
    writer.kill('SIGKILL');
  }
});

test('a file that grows and one that shrinks while they are copied are copied as they are at last', async (t) => {
  const base = temporaryDirectory(t, 'dirfd-changing-', quickTemporaryRoot());
  const [source, copy] = [join(base, 'source'), join(base, 'copy')];
  mkdirSync(source);
  const changes: Readonly<Record<string, (path: string) => void>> = {
    grows: (path) => appendFileSync(path, 'and more'),
    shrinks: (path) => truncateSync(path, 100_001),
  };
  // More than is read at once.
  const size = 1_500_000;
  for (const name of Object.keys(changes)) writeFileSync(join(source, name), everyByte(size));
  // Most of a second for each, so that the change falls into it.
  const copying = copyTree(source, copy, { bandwidthLimit: 2_000_000, reflink: 'never' });
  const copied = (name: string): number => statSync(join(copy, name), { throwIfNoEntry: false })?.size ?? 0;
  const changing = Object.entries(changes).map(async ([name, change]) => {
    while (copied(name) === 0) await sleep(5);
    assert.ok(copied(name) < size, 'the change comes too late');
    change(join(source, name));
  });
  assertComplete(await copying);
  await Promise.all(changing);
  for (const name of Object.keys(changes)) {
    assert.ok(readFileSync(join(copy, name)).equals(readFileSync(join(source, name))), name);
  }
});

for (const order of ['any', 'breadth', 'depth', 'sorted'] as const) {
  test(`directories moved out of the tree while it is walked lead nowhere outside, in order ${order}`, async (t) => {
    const base = temporaryDirectory(t);
    const [root, outside] = [join(base, 'root'), join(base, 'outside')];
    mkdirSync(outside);
    writeFileSync(join(outside, 'theirs'), '');
    for (let at = 0; at < 30; at++) mkdirSync(join(root, `${at}/a/b/c`), { recursive: true });
    for (let at = 0; at < 30; at++) writeFileSync(join(root, `${at}/a/b/c/file`), '');
    const seen: string[] = [];
    const failures: FsError[] = [];
    let moved = 0;
    // Three directories open: the others are reached again from the root, which is when a parent's `..` would lead outside.
    const walking = walk(root, {
      order,
      batchSize: 1,
      highWaterMark: 1,
      maxOpenDirectories: 3,
      onError: (error) => failures.push(error),
    });
    for await (const entry of walking) {
      seen.push(entry.path);
      if (entry.kind === 'directory' && entry.name === 'b') {
        const top = entry.path.split('/')[0]!;
        renameSync(join(root, top), join(outside, top));
        moved++;
      }
    }
    assert.ok(moved > 0);
    assert.ok(seen.every((path) => !path.includes('theirs') && /^\d+(\/a(\/b(\/c(\/file)?)?)?)?$/.test(path)));
    for (const error of failures) assert.ok(['ERR_DIRFD_CHANGED', 'ENOENT'].includes(error.code), error.message);
    assert.equal(new Set(seen).size, seen.length);
  });
}
