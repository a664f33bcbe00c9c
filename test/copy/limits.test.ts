// Bad input and hard limits: each ends with a clear error, and nothing half made.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyTree, DirectoryFd, FsError } from 'dirfd';
import { run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { differences, inventory } from '../fixtures/inventory.js';
import { withOpenFiles } from '../fixtures/limits.js';
import { bindMount, mounted } from '../fixtures/mounts.js';
import { importable, ordinaryDirectory, ordinaryUserCanRun, runAsOrdinaryUser } from '../fixtures/ordinary-user.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireRoot } from '../fixtures/tools.js';
import { deep, plain, project, wide } from '../fixtures/trees.js';

async function failure(failing: PromiseLike<unknown>): Promise<FsError> {
  try {
    await failing;
  } catch (error) {
    assert.ok(error instanceof FsError, `${error}`);
    return error;
  }
  assert.fail('it did not fail');
}

test('a destination that is the source, or lies inside it, is refused by whatever path it is named', async (t) => {
  const source = temporaryDirectory(t);
  mkdirSync(join(source, 'a', 'b'), { recursive: true });
  const elsewhere = temporaryDirectory(t);
  symlinkSync(join(source, 'a'), join(elsewhere, 'link'));
  const inside = [
    source,
    join(source, 'new'),
    join(source, 'a', 'b'),
    join(elsewhere, 'link'),
    join(elsewhere, 'link', 'new'),
  ];
  for (const destination of inside) {
    const error = await failure(copyTree(source, destination));
    assert.equal(error.code, 'ERR_DIRFD_INVALID_ARGUMENT', destination);
    assert.match(error.message, /inside/);
  }
  assert.deepEqual(readdirSync(join(source, 'a')), ['b']);
  assert.deepEqual(readdirSync(source), ['a']);
});

test('a bind mount of the source is still the source', async (t) => {
  const base = temporaryDirectory(t);
  for (const name of ['source', 'place']) mkdirSync(join(base, name));
  if (!bindMount(t, join(base, 'source'), join(base, 'place'))) return;
  try {
    assert.equal(
      (await failure(copyTree(join(base, 'source'), join(base, 'place')))).code,
      'ERR_DIRFD_INVALID_ARGUMENT',
    );
  } finally {
    run('umount', [join(base, 'place')]);
  }
});

test('a bind mount of a directory inside the source is found when the copy comes to it', async (t) => {
  const base = temporaryDirectory(t);
  const [source, place] = [join(base, 'source'), join(base, 'place')];
  for (const path of [join(source, 'inner', 'target'), place]) mkdirSync(path, { recursive: true });
  writeFileSync(join(source, 'inner', 'file'), 'content');
  if (!bindMount(t, join(source, 'inner'), place)) return;
  try {
    // Nothing above place/target is the source: only its own identity tells.
    const error = await failure(copyTree(source, join(place, 'target')));
    assert.deepEqual([error.code, error.path], ['ERR_DIRFD_INVALID_ARGUMENT', 'inner/target']);
    assert.equal(existsSync(join(source, 'inner', 'target', 'inner', 'target', 'inner')), false, 'it did not go round');
  } finally {
    run('umount', [place]);
  }
});

test('delete spares the source, should a bind mount have led to it inside the destination', async (t) => {
  const base = temporaryDirectory(t);
  const [destination, source] = [join(base, 'destination'), join(base, 'source')];
  mkdirSync(join(destination, 'stranger', 'deep'), { recursive: true });
  mkdirSync(source);
  writeFileSync(join(destination, 'stranger', 'deep', 'precious'), 'content');
  writeFileSync(join(destination, 'stranger', 'file'), '');
  if (!bindMount(t, join(destination, 'stranger', 'deep'), source)) return;
  try {
    const report = await copyTree(source, destination, { delete: true, onError: 'continue' });
    assert.deepEqual(
      report.errors.map(({ path, error }) => `${path} ${error.code}`),
      ['stranger/deep ERR_DIRFD_INVALID_ARGUMENT'],
    );
    assert.equal(readFileSync(join(source, 'precious'), 'utf8'), 'content');
    assert.equal(existsSync(join(destination, 'stranger', 'file')), false);
  } finally {
    run('umount', [source]);
  }
});

test('a single file is found through symlinks, relative and absolute ones, and a loop of them is an error', async (t) => {
  const base = temporaryDirectory(t);
  mkdirSync(join(base, 'a', 'b'), { recursive: true });
  writeFileSync(join(base, 'a', 'b', 'file'), 'content');
  symlinkSync('a/b', join(base, 'directory'));
  symlinkSync('../a/b/file', join(base, 'a', 'relative'));
  // By way of a link and of what lies above its target, which is not what lies above the link.
  symlinkSync(`${base}/directory/../relative`, join(base, 'absolute'));
  await copyTree(join(base, 'absolute'), join(base, 'copy'));
  assert.equal(readFileSync(join(base, 'copy'), 'utf8'), 'content');
  assert.ok(lstatSync(join(base, 'copy')).isFile());
  symlinkSync('loop', join(base, 'loop'));
  assert.equal((await failure(copyTree(join(base, 'loop'), join(base, 'none')))).code, 'ELOOP');
});

test('a source inside the destination is refused where delete would remove it', async (t) => {
  const destination = temporaryDirectory(t);
  mkdirSync(join(destination, 'source'));
  const error = await failure(copyTree(join(destination, 'source'), destination, { delete: true }));
  assert.equal(error.code, 'ERR_DIRFD_INVALID_ARGUMENT');
  assert.ok(existsSync(join(destination, 'source')));
});

test('a source that is absent, or neither directory nor file, is named', { timeout: 10_000 }, async (t) => {
  const base = temporaryDirectory(t);
  run('mkfifo', [join(base, 'fifo')]);
  const absent = await failure(copyTree(join(base, 'absent'), join(base, 'copy')));
  assert.equal(absent.code, 'ENOENT');
  assert.match(absent.message, /absent/);
  assert.equal((await failure(copyTree(join(base, 'fifo'), join(base, 'copy')))).code, 'ERR_DIRFD_NOT_REGULAR');
  assert.equal((await failure(copyTree(base, join(base, '..', 'absent', 'copy')))).code, 'ENOENT');
  assert.equal(existsSync(join(base, 'copy')), false);
});

test('a full destination is ENOSPC, with call, directory and name; the cut off file is removed', async (t) => {
  const place = mounted(t, 'tmpfs', { megabytes: 1 });
  if (place === undefined) return;
  const source = temporaryDirectory(t);
  writeFileSync(join(source, 'big'), Buffer.alloc(4 << 20, 1));
  const error = await failure(copyTree(source, join(place, 'copy')));
  assert.equal(error.code, 'ENOSPC');
  assert.match(error.syscall ?? '', /write|copy_file_range/);
  assert.equal(error.path, 'big');
  assert.equal(error.directory, join(place, 'copy'));
  assert.deepEqual(readdirSync(join(place, 'copy')), []);
});

test('a read-only destination is EROFS', async (t) => {
  const place = mounted(t, 'tmpfs', { readOnly: true, fill: (directory) => mkdirSync(join(directory, 'there')) });
  if (place === undefined) return;
  const source = temporaryDirectory(t);
  plain(source);
  assert.equal((await failure(copyTree(source, join(place, 'new')))).code, 'EROFS');
  const error = await failure(copyTree(source, join(place, 'there')));
  assert.equal(error.code, 'EROFS');
  assert.equal(error.directory, join(place, 'there'));
});

test('a directory in the way of a file gives way only with delete', async (t) => {
  const [source, destination] = [temporaryDirectory(t), temporaryDirectory(t)];
  writeFileSync(join(source, 'x'), 'file');
  mkdirSync(join(destination, 'x', 'full'), { recursive: true });
  assert.equal((await failure(copyTree(source, destination))).code, 'EISDIR');
  await copyTree(source, destination, { delete: true });
  assertSameTree(source, destination);
});

/** Directories at every level of a path of many pieces, where some are held to open others from. */
function branching(root: string): void {
  const levels = Array.from({ length: 24 }, (_, level) => `${level}`.padEnd(120, '-'));
  for (const [level] of levels.entries()) {
    for (const beside of ['a', 'b', 'c']) {
      const directory = join(root, ...levels.slice(0, level + 1), beside);
      mkdirSync(directory, { recursive: true });
      for (const file of ['1', '2']) writeFileSync(join(directory, file), `${level}${beside}${file}`);
    }
  }
}

test('forty descriptors are enough for a wide, a deep and a branching tree', async (t) => {
  const base = temporaryDirectory(t);
  for (const [name, make] of Object.entries({ deep, wide, project, branching })) {
    const source = join(base, name);
    mkdirSync(source);
    make(source);
    const script = importable(`
      import { copyTree } from 'dirfd';
      const report = await copyTree(process.argv[1], process.argv[2]);
      console.log(report.errorCount);`);
    const command = [process.execPath, '--input-type=module', '-e', script, '--', source, `${source}-copy`];
    const { stdout, stderr } = withOpenFiles(40, command);
    assert.equal(stdout.trim(), '0', stderr);
    assertSameTree(source, `${source}-copy`);
  }
});

test('a file that never stops changing is torn, and leaves nothing behind', async (t) => {
  const base = temporaryDirectory(t);
  const source = join(base, 'source');
  mkdirSync(source);
  // So large that the writer gets its turn in each attempt, on a busy machine too.
  writeFileSync(join(source, 'busy'), Buffer.alloc(256 << 20));
  const writer = spawn(process.execPath, [
    '-e',
    `const fs = require('fs'); const fd = fs.openSync(process.argv[1], 'r+'); console.log('writing');
     for (let i = 0; ; i++) fs.writeSync(fd, String(i), i % 60000000);`,
    join(source, 'busy'),
  ]);
  try {
    await new Promise((resolve) => writer.stdout.once('data', resolve));
    const error = await failure(copyTree(source, join(base, 'copy'), { reflink: 'never' })); // a clone is of one moment
    assert.equal(error.code, 'ERR_DIRFD_TORN');
    assert.equal(error.path, 'busy');
    assert.deepEqual(readdirSync(join(base, 'copy')), []);
  } finally {
    writer.kill('SIGKILL');
  }
});

test('an abort stops within a moment, in the middle of a file too, and what is cut off is removed', async (t) => {
  const base = temporaryDirectory(t);
  const source = join(base, 'source');
  mkdirSync(source);
  project(source, 100);
  for (const name of ['a', 'b', 'c', 'd']) run('fallocate', ['-l', '1G', join(source, name)]);
  for (const name of ['a', 'b', 'c', 'd']) run('truncate', ['-s', '1G', join(source, name)]);
  const controller = new AbortController();
  const job = copyTree(source, join(base, 'copy'), { signal: controller.signal, sparse: 'never', reflink: 'never' });
  const reason = new Error('enough');
  setTimeout(() => controller.abort(reason), 100);
  const started = performance.now();
  await assert.rejects(async () => await job, reason);
  assert.ok(performance.now() - started < 3000, `${performance.now() - started} ms`);
  for (const name of ['a', 'b', 'c', 'd']) {
    const copied = join(base, 'copy', name);
    if (existsSync(copied)) assert.equal(statSync(copied).size, 2 ** 30, 'a file is whole or absent');
  }
});

test('a set-user-id file of another user does not become one of ours', async (t) => {
  if (!requireRoot(t)) return;
  const base = temporaryDirectory(t);
  const source = join(base, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'tool'), '#!/bin/sh\n');
  run('chown', ['12345:12345', join(source, 'tool')]);
  chmodSync(join(source, 'tool'), 0o4755);
  const report = await copyTree(source, join(base, 'copy'), { owner: false });
  assert.equal(statSync(join(base, 'copy', 'tool')).mode & 0o7777, 0o755);
  assert.deepEqual(
    report.notKept.map(({ path, what, code }) => ({ path, what, code })),
    [{ path: 'tool', what: 'mode', code: 'EPERM' }],
  );
  assert.equal(report.exitCode, 23);
});

test('an ordinary user keeps what they may, and is told of the owners they may not give', (t) => {
  if (!ordinaryUserCanRun(t)) return;
  const directory = ordinaryDirectory(t);
  const script = `
    import { copyTree } from 'dirfd';
    const [source, destination] = process.argv.slice(1);
    const { notKept, errors, exitCode, files } = await copyTree(source, destination, { onError: 'continue' });
    console.log(JSON.stringify({ what: [...new Set(notKept.map((each) => each.what))], errors, exitCode, files: files > 0 }));`;
  const { stdout, stderr } = runAsOrdinaryUser(directory, script, ['/usr/include/linux', join(directory, 'copy')]);
  assert.deepEqual(JSON.parse(stdout || 'null'), { what: ['owner'], errors: [], exitCode: 23, files: true }, stderr);
  const compared = { owner: false } as const;
  const found = differences(inventory('/usr/include/linux', compared), inventory(join(directory, 'copy'), compared));
  assert.deepEqual(found, []);
});

test('a job is awaited, iterated, aborted and disposed of', async (t) => {
  const base = temporaryDirectory(t);
  const source = join(base, 'source');
  mkdirSync(source);
  plain(source);
  const job = copyTree(source, join(base, 'copy'), { itemize: true });
  const actions = new Set<string>();
  for await (const event of job) actions.add(event.type === 'entry' ? event.action : event.type);
  assert.deepEqual([...actions], ['create']);
  const report = await job;
  assert.equal(job.progress.files, report.files);
  await using held = await DirectoryFd.open(source);
  {
    await using disposed = copyTree(held, join(base, 'disposed'));
    disposed.abort(new Error('no'));
    await assert.rejects(async () => await disposed, /no/);
  }
});
