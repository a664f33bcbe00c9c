// Everything that a copy keeps, made, copied and compared by others' code: rsync, getfattr and the fixtures' own inventory.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyTree, verifyTree } from 'dirfd';
import { attempt, run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { compiled } from '../fixtures/compile.js';
import { extentsOf } from '../fixtures/extents.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { isRoot, requireRoot, requireTool } from '../fixtures/tools.js';
import { deep, metadata, modes, names, plain, project, wide } from '../fixtures/trees.js';
import { assertComplete, pair } from './pair.js';

const trees = {
  ...{ plain, names, deep, modes },
  // More than two ranges of one directory, and more directories than are filled by one call.
  wide: (directory: string) => wide(directory, 1200),
  project: (directory: string) => project(directory, 100),
} as const;

for (const [name, make] of Object.entries(trees)) {
  test(`a copy of the tree "${name}" is the same tree`, async (t) => {
    const base = temporaryDirectory(t);
    const [source, destination] = [join(base, 'source'), join(base, 'destination')];
    mkdirSync(source);
    make(source);
    const report = await copyTree(source, destination, { onError: 'continue' });
    // An ordinary user cannot read their own file of mode 0000, and so cannot copy it.
    if (!isRoot() && name === 'modes') return;
    assertComplete(report);
    assertSameTree(source, destination);
  });

  test(`a copy of the tree "${name}" into an empty directory that exists is the same tree`, async (t) => {
    if (name === 'modes' && !requireRoot(t)) return;
    const base = temporaryDirectory(t);
    const [source, destination] = [join(base, 'source'), join(base, 'destination')];
    mkdirSync(source);
    mkdirSync(destination);
    make(source);
    await copyTree(source, destination);
    assertSameTree(source, destination);
  });
}

test('all metadata is kept: modes, owners, links, holes, specials, xattrs, ACLs, capabilities, times', async (t) => {
  const base = temporaryDirectory(t);
  const [source, destination] = [join(base, 'source'), join(base, 'destination')];
  mkdirSync(source);
  const { missing } = metadata(source);
  for (const step of missing) t.diagnostic(`not made: ${step}`);
  const report = await copyTree(source, destination, { onError: isRoot() ? 'stop' : 'continue' });
  if (isRoot()) {
    assertComplete(report);
    assertSameTree(source, destination);
    return;
  }
  // An ordinary user: files and directories of mode 0000 cannot be read, and nothing else is lost.
  const lost = report.errors.map(({ path, error }) => `${path} ${error.code}`).sort();
  assert.deepEqual(lost, ['modes/directory-0000 EACCES', 'modes/file-0000 EACCES'].slice(0, lost.length));
});

test('holes lie exactly where they were, a trailing one included', async (t) => {
  const base = temporaryDirectory(t);
  const [source, destination] = [join(base, 'source'), join(base, 'destination')];
  mkdirSync(source);
  metadata(source);
  const program = compiled(t, 'extents');
  if (program === undefined) return;
  await copyTree(join(source, 'holes'), destination);
  for (const name of ['start', 'middle', 'end', 'several', 'all', 'zeros-but-no-hole']) {
    assert.deepEqual(
      extentsOf(program, join(destination, name)),
      extentsOf(program, join(source, 'holes', name)),
      name,
    );
  }
});

test('offsets beyond 4 GiB are kept, with data and holes on either side', async (t) => {
  const { source, destination, from, to } = pair(t);
  const program = compiled(t, 'extents');
  if (program === undefined) return;
  const far = 5 * 2 ** 30;
  const fd = openSync(from('file'), 'w');
  for (const at of [0, 2 ** 32 - 4096, far]) writeSync(fd, Buffer.alloc(8192, `data at ${at}`), 0, 8192, at);
  closeSync(fd);
  assertComplete(await copyTree(source, destination));
  assert.equal(statSync(to('file')).size, far + 8192);
  assert.deepEqual(extentsOf(program, to('file')), extentsOf(program, from('file')));
  assert.deepEqual((await verifyTree(source, destination)).differences, []);
  const copy = openSync(to('file'), 'r');
  const tail = Buffer.alloc(8192);
  readSync(copy, tail, 0, tail.length, far);
  closeSync(copy);
  assert.ok(tail.equals(Buffer.alloc(8192, `data at ${far}`)));
});

test('capabilities, ACLs and xattrs are what getcap, getfacl and getfattr say', async (t) => {
  if (!requireRoot(t) || !requireTool(t, 'getcap', 'getfacl', 'getfattr')) return;
  const base = temporaryDirectory(t);
  const [source, destination] = [join(base, 'source'), join(base, 'destination')];
  mkdirSync(source);
  metadata(source);
  await copyTree(source, destination);
  const asked = [
    ['getcap', '-r', '.'],
    ['getfacl', '-R', '-P', '-p', '.'],
    ['getfattr', '-R', '-P', '-h', '-d', '-m', '-', '.'],
  ];
  for (const [tool, ...args] of asked as [string, ...string[]][]) {
    const said = (cwd: string) => attempt(tool, args, { cwd }).stdout.split('\n').sort();
    assert.deepEqual(said(destination), said(source), tool);
  }
});

test('the process umask has no part in the modes of a copy', async (t) => {
  const base = temporaryDirectory(t);
  const source = join(base, 'source');
  mkdirSync(source);
  plain(source);
  run('chmod', ['-R', 'a+rwX', source]);
  for (const umask of [0o000, 0o022, 0o077, 0o777]) {
    const destination = join(base, `destination-${umask.toString(8)}`);
    const before = process.umask(umask);
    try {
      await copyTree(source, destination);
    } finally {
      process.umask(before);
    }
    assertSameTree(source, destination);
  }
});

test('a default ACL and a set-group-id bit of the place that is copied to are not inherited', async (t) => {
  if (!requireTool(t, 'setfacl')) return;
  const base = temporaryDirectory(t);
  const [source, place] = [join(base, 'source'), join(base, 'place')];
  mkdirSync(source);
  plain(source);
  mkdirSync(place);
  run('setfacl', ['-m', 'd:u:12345:rwx,d:g:12345:rwx', place]);
  if (isRoot()) run('chgrp', ['12345', place]);
  chmodSync(place, 0o2755);
  await copyTree(source, join(place, 'new'));
  assertSameTree(source, join(place, 'new'));
  mkdirSync(join(place, 'existing'));
  await copyTree(source, join(place, 'existing'));
  assertSameTree(source, join(place, 'existing'));
});

test('a single file is copied to a name of its own', async (t) => {
  const base = temporaryDirectory(t);
  const [source, destination] = [join(base, 'source'), join(base, 'destination')];
  for (const directory of [source, destination]) mkdirSync(directory);
  writeFileSync(join(source, 'a'), 'content', { mode: 0o640 });
  const report = await copyTree(join(source, 'a'), join(destination, 'b'));
  assert.equal(report.files, 1);
  renameSync(join(destination, 'b'), join(destination, 'a'));
  const moment = new Date(1e12);
  for (const directory of [source, destination]) utimesSync(directory, moment, moment);
  assertSameTree(source, destination);
});
