// What an entry tells, and the way back to what it stands for.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';
import { DirectoryFd, type Entry, walk } from 'dirfd';
import { run } from '../fixtures/command.js';
import { mounted } from '../fixtures/mounts.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { awkwardNames, names, plain } from '../fixtures/trees.js';

async function entriesOf(
  root: DirectoryFd | string,
  options: Parameters<typeof walk>[1] = {},
): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  for await (const entry of walk(root, options)) found.set(entry.pathBytes.toString('latin1'), entry as Entry);
  return found;
}

const changed = { name: 'FsError', code: 'ERR_DIRFD_CHANGED' };

test('an entry tells its name, path, depth, kind and stat', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  const entries = await entriesOf(root);
  const leaf = entries.get('a/b/c/leaf.txt')!;
  assert.deepEqual(
    [leaf.name, leaf.path, leaf.depth, leaf.kind, leaf.event, leaf.isFile(), leaf.isDirectory(), leaf.stat.size],
    ['leaf.txt', 'a/b/c/leaf.txt', 4, 'file', 'entry', true, false, 5],
  );
  assert.equal(leaf.error, undefined);
  assert.equal(entries.get('link-to-a')!.isSymbolicLink(), true);
  assert.equal(inspect(leaf), "Entry { file 'a/b/c/leaf.txt' }");
  assert.equal(JSON.parse(JSON.stringify(leaf)).path, 'a/b/c/leaf.txt');
});

test('names are exact bytes, whatever they are', async (t) => {
  const root = temporaryDirectory(t);
  names(root);
  const expected = awkwardNames.map((name) => name.toString('latin1')).sort();
  const seen: string[] = [];
  for await (const entry of walk(root, { encoding: 'buffer' })) {
    assert.ok(Buffer.isBuffer(entry.name) && Buffer.isBuffer(entry.path));
    if (entry.path.subarray(0, 6).toString() === 'files/') seen.push(entry.name.toString('latin1'));
    assert.deepEqual(entry.path, entry.pathBytes);
    if (entry.isFile()) await (await entry.open()).close();
  }
  assert.deepEqual(seen.sort(), expected);
});

test('a name that is not UTF-8 goes into JSON with its bytes', async (t) => {
  const root = temporaryDirectory(t);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x61, 0xff])]), '');
  for await (const entry of walk(root)) {
    const { path, pathBytes } = entry.toJSON();
    assert.deepEqual([path, pathBytes], ['a\ufffd', Buffer.from([0x61, 0xff]).toString('base64')]);
    assert.equal(entry.name, 'a\ufffd');
  }
});

test('an entry opens what it stands for', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  await using directory = await DirectoryFd.open(root);
  const entries = await entriesOf(directory);
  await using file = await entries.get('a/one.txt')!.open();
  assert.equal(await file.readFile('utf8'), 'one\n');
  await using below = await entries.get('a/b')!.openDirectory();
  assert.deepEqual((await below.readdir()).sort(), ['c', 'up']);
  assert.equal(await entries.get('a/b/up')!.readlink(), '../one.txt');
  assert.deepEqual(await entries.get('a/b/up')!.readlink({ encoding: 'buffer' }), Buffer.from('../one.txt'));
});

test('an entry whose file was replaced does not open', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  await using directory = await DirectoryFd.open(root);
  const entries = await entriesOf(directory);
  writeFileSync(join(root, 'new'), 'another');
  renameSync(join(root, 'new'), join(root, 'a/one.txt'));
  await assert.rejects(entries.get('a/one.txt')!.open(), changed);
  await assert.rejects(entries.get('a/one.txt')!.open('w'), changed);
  assert.equal(readFileSync(join(root, 'a/one.txt'), 'utf8'), 'another', 'what stands there now was not truncated');
});

/** Removes what stands there and makes something else at once: ext4 gives it the same inode number. */
function replacer(root: string): (path: string, make: (at: string) => void) => void {
  return (path, make) => {
    rmSync(join(root, path), { recursive: true });
    make(join(root, path));
  };
}

/** Times of birth come from the kernel's tick: what is made after this is younger than what was made before. */
function nextTick(): Promise<void> {
  return setTimeout(20);
}

test('a file, a directory or a link that was removed and made again is another one', async (t) => {
  const root = mounted(t, 'ext4', { megabytes: 8 });
  if (root === undefined) return;
  plain(root);
  await using directory = await DirectoryFd.open(root);
  const entries = await entriesOf(directory);
  await nextTick();
  const replace = replacer(root);
  const seen = (path: string) => entries.get(path)!;
  const inodeStays = (path: string) =>
    assert.equal(lstatSync(join(root, path), { bigint: true }).ino, seen(path).stat.ino);

  replace('readme.md', (at) => writeFileSync(at, 'another'));
  inodeStays('readme.md');
  await assert.rejects(seen('readme.md').open(), changed);
  await assert.rejects(seen('readme.md').open('w'), changed);
  assert.equal(readFileSync(join(root, 'readme.md'), 'utf8'), 'another', 'what stands there now was not truncated');
  replace('dangling', (at) => symlinkSync('elsewhere', at));
  inodeStays('dangling');
  await assert.rejects(seen('dangling').readlink(), changed);
  replace('a/b/c', (at) => mkdirSync(at));
  inodeStays('a/b/c');
  await assert.rejects(seen('a/b/c').openDirectory(), changed);
});

test('a file that an overlay copies up, and so makes anew, is still the same', async (t) => {
  const root = mounted(t, 'overlay', { lower: plain });
  if (root === undefined) return;
  await using directory = await DirectoryFd.open(root);
  const entries = await entriesOf(directory);
  await nextTick();
  await using file = await entries.get('readme.md')!.open('r+');
  assert.notEqual((await file.stat()).birthtimeNs, entries.get('readme.md')!.stat.birthtimeNs);
  writeFileSync(join(root, 'a/b/new'), '');
  await (await entries.get('a/b')!.openDirectory()).close();
});

test('what another kind of thing has taken the place of does not open', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  await using directory = await DirectoryFd.open(root);
  const entries = await entriesOf(directory);
  await nextTick();
  const replace = replacer(root);
  replace('readme.md', (at) => symlinkSync('/etc/passwd', at));
  replace('empty.txt', (at) => void run('mkfifo', [at]));
  replace('one-again.txt', (at) => mkdirSync(at));
  for (const path of ['readme.md', 'empty.txt', 'one-again.txt'])
    await assert.rejects(entries.get(path)!.open(), changed);
  replace('a/b', (at) => symlinkSync('/etc', at));
  await assert.rejects(entries.get('a/b')!.openDirectory(), changed);
  await assert.rejects(entries.get('a/b/c/leaf.txt')!.open(), changed, 'a symlink on the way is not followed');
  replace('dangling', (at) => symlinkSync('elsewhere', at));
  await assert.rejects(entries.get('dangling')!.readlink(), changed);
});

test('an entry that is gone says so', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  await using directory = await DirectoryFd.open(root);
  const entries = await entriesOf(directory);
  unlinkSync(join(root, 'readme.md'));
  await assert.rejects(entries.get('readme.md')!.open(), { code: 'ENOENT' });
});

test('an entry opened for writing is truncated only after it was compared, and never created', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  await using directory = await DirectoryFd.open(root);
  const entries = await entriesOf(directory);
  await using file = await entries.get('readme.md')!.open('w');
  await file.writeFile('rewritten');
  assert.equal(readFileSync(join(root, 'readme.md'), 'utf8'), 'rewritten');
  unlinkSync(join(root, 'empty.txt'));
  await assert.rejects(entries.get('empty.txt')!.open('w'), { code: 'ENOENT' });
});

test('what is no regular file is refused as such', async (t) => {
  const root = temporaryDirectory(t);
  run('mkfifo', [join(root, 'fifo')]);
  mkdirSync(join(root, 'directory'));
  await using directory = await DirectoryFd.open(root);
  const entries = await entriesOf(directory);
  await assert.rejects(entries.get('fifo')!.open(), { code: 'ERR_DIRFD_NOT_REGULAR' });
  await assert.rejects(entries.get('directory')!.open(), { code: 'EISDIR' });
  await assert.rejects(entries.get('fifo')!.openDirectory(), { code: 'ENOTDIR' });
});

test('entries of a walk by path open while it runs, and not after it', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  let kept: Entry | undefined;
  for await (const entry of walk(root)) {
    if (entry.path !== 'readme.md') continue;
    kept = entry;
    await (await entry.open()).close();
  }
  await assert.rejects(kept!.open(), { code: 'ERR_DIRFD_CLOSED' });
  assert.equal(kept!.stat.size, 8, 'what was stat’ed stays');
});

test('an entry shows the file as it was when it was looked at', async (t) => {
  const root = temporaryDirectory(t);
  writeFileSync(join(root, 'file'), 'twelve bytes');
  const entries = await entriesOf(root);
  truncateSync(join(root, 'file'), 3);
  assert.equal(entries.get('file')!.stat.size, 12);
});
