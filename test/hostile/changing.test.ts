// Trees that change under the reader so that a look at size and time cannot tell.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyTree, type FsError, walk } from 'dirfd';
import { temporaryDirectory } from '../fixtures/temporary.js';

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
