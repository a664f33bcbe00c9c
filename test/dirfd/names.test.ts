// Names made, moved, linked and removed; names of any bytes.
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { isRoot } from '../fixtures/tools.js';
import { inside, withDirectory } from '../fixtures/trees/pinned.js';
import { awkwardNames } from '../fixtures/trees.js';
import { opened, rejects, scratch } from './scratch.js';

expectNoLeaks();

test('mkdir makes a directory with the mode, less the umask', async (t) => {
  const { path, directory } = await scratch(t);
  const umask = process.umask();
  assert.equal(await directory.mkdir('plain'), undefined);
  await directory.mkdir('private', { mode: 0o700 });
  await directory.mkdir('text', '711');
  assert.equal(directory.mkdirSync('sync', 0o750), undefined);
  const modeOf = (name: string) => lstatSync(join(path, name)).mode & 0o7777;
  assert.equal(modeOf('plain'), 0o777 & ~umask);
  assert.equal(modeOf('private'), 0o700);
  assert.equal(modeOf('text'), 0o711 & ~umask);
  assert.equal(modeOf('sync'), 0o750 & ~umask);
  await rejects(directory.mkdir('plain'), { code: 'EEXIST', syscall: 'mkdirat', path: 'plain' });
});

test('mkdir with recursive makes what is missing, and tells the first that it made', async (t) => {
  const { path, directory } = await scratch(t);
  const recursive = true;
  assert.equal(await directory.mkdir('a/b/c', { recursive }), 'a');
  assert.equal(await directory.mkdir('a/b/c', { recursive }), undefined);
  assert.equal(await directory.mkdir('a/b/c/d//e/./f/', { recursive }), 'a/b/c/d');
  assert.equal(await directory.mkdir('.', { recursive }), undefined);
  assert.deepEqual(
    await directory.mkdir(Buffer.from('a/x\xff/y', 'latin1'), { recursive }),
    Buffer.from('a/x\xff', 'latin1'),
  );
  assert.equal(directory.mkdirSync('s/t', { recursive }), 's');
  assert.ok(lstatSync(join(path, 'a/b/c/d/e/f')).isDirectory());
  assert.ok(lstatSync(join(path, 's/t')).isDirectory());
});

test('mkdir with recursive stops at what is no directory', async (t) => {
  const { path, directory } = await scratch(t);
  writeFileSync(join(path, 'file'), '');
  symlinkSync('elsewhere', join(path, 'dangling'));
  symlinkSync('.', join(path, 'loop'));
  const recursive = true;
  await rejects(directory.mkdir('file', { recursive }), { code: 'EEXIST', path: 'file' });
  await rejects(directory.mkdir('file/x/y', { recursive }), 'ENOTDIR');
  await rejects(directory.mkdir('dangling', { recursive }), 'EEXIST');
  await rejects(directory.mkdir('loop/x', { recursive }), 'ELOOP');
  assert.deepEqual(readdirSync(path).sort(), ['dangling', 'file', 'loop']);
  const beneath = await opened(t, path, { resolution: 'beneath' });
  assert.equal(await beneath.mkdir('loop/x/y', { recursive }), 'loop/x');
});

test('rmdir removes an empty directory only, unlink anything else only', async (t) => {
  const { path, directory } = await scratch(t);
  mkdirSync(join(path, 'empty'));
  mkdirSync(join(path, 'full/inner'), { recursive: true });
  writeFileSync(join(path, 'file'), '');
  symlinkSync('full', join(path, 'link'));
  await rejects(directory.rmdir('full'), 'ENOTEMPTY');
  await rejects(directory.rmdir('file'), 'ENOTDIR');
  await rejects(directory.rmdir('link'), 'ENOTDIR');
  await rejects(directory.unlink('empty'), 'EISDIR');
  await rejects(directory.unlink('missing'), { code: 'ENOENT', syscall: 'unlinkat' });
  await directory.rmdir('empty');
  directory.rmdirSync('full/inner');
  await directory.unlink('link');
  directory.unlinkSync('file');
  assert.deepEqual(readdirSync(path), ['full'], 'of a link, the link is removed');
});

test('rename moves, replaces, refuses to replace, exchanges', async (t) => {
  const { path, directory } = await scratch(t);
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(path, name), name);
  const content = (name: string) => readFileSync(join(path, name), 'utf8');
  await directory.rename('a', 'b');
  assert.equal(content('b'), 'a');
  await rejects(directory.rename('b', 'c', { noReplace: true }), {
    code: 'EEXIST',
    syscall: 'renameat2',
    path: 'b',
    dest: 'c',
    directory: path,
  });
  await directory.rename('c', 'd', { exchange: true });
  assert.deepEqual([content('c'), content('d')], ['d', 'c']);
  await rejects(directory.rename('c', 'missing', { exchange: true }), 'ENOENT');
  await directory.rename('c', 'new', { noReplace: true });
  directory.renameSync('new', 'newer', { noReplace: true });
  assert.equal(content('newer'), 'd');
  await rejects(directory.rename('d', 'e', { noReplace: true, exchange: true }), 'ERR_DIRFD_INVALID_ARGUMENT');
});

test('rename and link reach into another directory handle', async (t) => {
  const { path, directory } = await scratch(t);
  mkdirSync(join(path, 'other/deep'), { recursive: true });
  writeFileSync(join(path, 'file'), 'content');
  const other = await opened(t, join(path, 'other'));
  await directory.link('file', other, 'deep/link');
  directory.linkSync('file', other, 'second');
  await directory.link('file', 'third');
  assert.equal(lstatSync(join(path, 'file')).nlink, 4);
  await directory.rename('file', other, 'deep/moved');
  other.renameSync('second', directory, 'back');
  assert.deepEqual(readdirSync(path).sort(), ['back', 'other', 'third']);
  const error = await rejects(other.rename('missing', directory, 'x'), { code: 'ENOENT', path: 'missing', dest: 'x' });
  assert.equal(
    error.message,
    `ENOENT: no such file or directory, renameat2 'missing' in '${join(path, 'other')}' -> 'x' in '${path}'`,
  );
});

test('a link to a symlink is a link to the symlink itself', async (t) => {
  const { path, directory } = await scratch(t);
  symlinkSync('target', join(path, 'symlink'));
  await directory.link('symlink', 'second');
  assert.equal(lstatSync(join(path, 'second')).ino, lstatSync(join(path, 'symlink')).ino);
  await rejects(directory.link('.', 'itself'), 'EPERM');
});

test('symlink stores its target as it is, readlink gives it back, however long', async (t) => {
  const { path, directory } = await scratch(t);
  for (const [index, target] of ['a', '/absolute', '../up', 'x'.repeat(1023), 'ü'].entries()) {
    await directory.symlink(target, `link-${index}`);
    assert.equal(await directory.readlink(`link-${index}`), target);
    assert.equal(readlinkSync(join(path, `link-${index}`)), target);
  }
  const bytes = Buffer.from('not \xff utf-8', 'latin1');
  directory.symlinkSync(bytes, 'bytes');
  assert.deepEqual(await directory.readlink('bytes', { encoding: 'buffer' }), bytes);
  assert.deepEqual(directory.readlinkSync('bytes', { encoding: 'buffer' }), bytes);
  assert.equal(directory.readlinkSync('link-0'), 'a');
  const { message } = await rejects(directory.symlink('x'.repeat(4096), 'long'), 'ENAMETOOLONG');
  assert.match(message, /a target at most 4095/);
  await rejects(directory.symlink('', 'empty'), 'ERR_DIRFD_INVALID_PATH');
  await rejects(directory.symlink('nul\0', 'nul'), 'ERR_DIRFD_INVALID_PATH');
  await rejects(directory.readlink('.'), 'EINVAL');
});

test('mknod and mkfifo make what they are asked for', async (t) => {
  const { path, directory } = await scratch(t);
  await directory.mkfifo('fifo', 0o600);
  await directory.mknod('file', 0o100640);
  await directory.mknod('socket', 0o140600);
  assert.ok(lstatSync(join(path, 'fifo')).isFIFO());
  assert.equal(lstatSync(join(path, 'fifo')).mode & 0o777, 0o600);
  assert.ok(lstatSync(join(path, 'file')).isFile());
  assert.ok(lstatSync(join(path, 'socket')).isSocket());
  await rejects(directory.mkfifo('fifo'), { code: 'EEXIST', syscall: 'mknodat' });
  const device = directory.mknod('null', 0o020600, 0x103n);
  if (isRoot()) {
    await device;
    const { rdev, kind } = await directory.stat('null');
    assert.deepEqual([rdev, kind], [0x103n, 'character-device']);
  } else await rejects(device, 'EPERM');
  await rejects(directory.mknod('bad', 0o100600, -1), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(directory.mknod('bad', 0o100600, 2n ** 64n), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(directory.mknod('bad', 0o1000000), 'ERR_DIRFD_INVALID_ARGUMENT');
});

test('every byte that a name may hold goes there and back', async (t) => {
  const { path, directory } = await scratch(t);
  for (const name of awkwardNames) {
    await directory.writeFile(name, name);
    await directory.rename(name, 'moved');
    await directory.rename('moved', name);
    assert.deepEqual(await directory.readFile(name), name);
  }
  const sorted = (names: readonly Buffer[]) => names.map((name) => name.toString('latin1')).sort();
  assert.deepEqual(sorted(await directory.readdir('.', { encoding: 'buffer' })), sorted(awkwardNames));
  assert.deepEqual(sorted(readdirSync(path, { encoding: 'buffer' })), sorted(awkwardNames));
  assert.deepEqual(sorted((await directory.entries()).map((entry) => entry.nameBytes)), sorted(awkwardNames));
  withDirectory(path, (fd) => {
    for (const name of awkwardNames) assert.deepEqual(readFileSync(inside(fd, name)), name);
  });
  for (const name of awkwardNames) directory.unlinkSync(name);
  assert.deepEqual(readdirSync(path), []);
});

test('a slash after a name asks for a directory, and follows nothing', async (t) => {
  const { path, directory } = await scratch(t, { resolution: 'beneath' });
  mkdirSync(join(path, 'directory'));
  writeFileSync(join(path, 'file'), 'content');
  symlinkSync('directory', join(path, 'link'));
  for (const name of ['file/', 'file/.', 'link/', 'link//']) {
    const verbs: Record<string, () => Promise<unknown>> = {
      stat: () => directory.stat(name),
      access: () => directory.access(name),
      chmod: () => directory.chmod(name, 0o777),
      chown: () => directory.chown(name, -1, -1),
      utimes: () => directory.utimes(name, 0n, 0n),
      unlink: () => directory.unlink(name),
      rmdir: () => directory.rmdir(name),
      readlink: () => directory.readlink(name),
      readdir: () => directory.readdir(name),
      openFile: () => directory.openFile(name),
      openDirectory: () => directory.openDirectory(name),
      listxattr: () => directory.listxattr(name),
      getflags: () => directory.getflags(name),
      removeTree: () => directory.removeTree(name),
      'rename from': () => directory.rename(name, 'x'),
      'link from': () => directory.link(name, 'x'),
    };
    for (const [verb, act] of Object.entries(verbs)) {
      const { message } = await rejects(act(), { errno: -constants.errno.ENOTDIR });
      assert.match(message, /^ENOTDIR/, `${verb} ${name}`);
    }
  }
  await rejects(directory.rename('file', 'new/'), 'ENOTDIR');
  await rejects(directory.mkfifo('new/'), 'ENOENT');
  await rejects(directory.symlink('x', 'new/'), 'ENOENT');
  await rejects(directory.link('file', 'new/'), 'ENOENT');
  await rejects(directory.openFile('new/', 'w'), 'EISDIR');
  await rejects(directory.openFile('directory/', 'w'), 'EISDIR');
  await rejects(directory.openFile('new/'), 'ENOENT');
  await rejects(directory.mkfifo('directory/'), 'EEXIST');
  await directory.mkdir('new/');
  await directory.rename('new/', 'newer/');
  await directory.rmdir('newer/');
  assert.deepEqual(readdirSync(path).sort(), ['directory', 'file', 'link']);
});
