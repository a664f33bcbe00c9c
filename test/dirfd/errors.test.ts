// Bad input: each refused with a clear error that names it, and nothing lost.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { DirectoryFd, FsError } from 'dirfd';
import { attempt } from '../fixtures/command.js';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { limitOpenFilesSource, withFileSize } from '../fixtures/limits.js';
import { mounted } from '../fixtures/mounts.js';
import { importable } from '../fixtures/ordinary-user.js';
import { assertInjected, strace } from '../fixtures/strace.js';
import { requireTool } from '../fixtures/tools.js';
import { opened, rejects, scratch } from './scratch.js';

expectNoLeaks();

/** Every verb that takes a path, with the path in its place. */
function verbsTaking(directory: DirectoryFd, path: string): Record<string, () => unknown> {
  return {
    stat: () => directory.stat(path),
    statSync: () => directory.statSync(path),
    statFollow: () => directory.statFollow(path),
    access: () => directory.access(path),
    exists: () => directory.exists(path),
    existsSync: () => directory.existsSync(path),
    chmod: () => directory.chmod(path, 0o600),
    chown: () => directory.chown(path, -1, -1),
    utimes: () => directory.utimes(path, 0n, 0n),
    getxattr: () => directory.getxattr(path, 'user.x'),
    setxattr: () => directory.setxattr(path, 'user.x', ''),
    listxattr: () => directory.listxattr(path),
    removexattr: () => directory.removexattr(path, 'user.x'),
    getflags: () => directory.getflags(path),
    setflags: () => directory.setflags(path, 0),
    mkdir: () => directory.mkdir(path),
    'mkdir recursive': () => directory.mkdir(path, { recursive: true }),
    mkdirSync: () => directory.mkdirSync(path),
    rmdir: () => directory.rmdir(path),
    unlink: () => directory.unlink(path),
    unlinkSync: () => directory.unlinkSync(path),
    'rename from': () => directory.rename(path, 'x'),
    'rename to': () => directory.rename('kept', path),
    'renameSync to': () => directory.renameSync('kept', path),
    'link from': () => directory.link(path, 'x'),
    'link to': () => directory.link('kept', path),
    symlink: () => directory.symlink('x', path),
    readlink: () => directory.readlink(path),
    mknod: () => directory.mknod(path, 0o100600),
    mkfifo: () => directory.mkfifo(path),
    openDirectory: () => directory.openDirectory(path),
    openDirectoryFollow: () => directory.openDirectoryFollow(path),
    openDirectorySync: () => directory.openDirectorySync(path),
    openFile: () => directory.openFile(path, 'w'),
    openFileFollow: () => directory.openFileFollow(path),
    openFileSync: () => directory.openFileSync(path, 'w'),
    readdir: () => directory.readdir(path),
    entries: () => directory.entries(path),
    readFile: () => directory.readFile(path),
    writeFile: () => directory.writeFile(path, 'x'),
    removeTree: () => directory.removeTree(path),
  };
}

/** What the error calls the verb: sync forms and options leave no trace, whole-file forms open a file first. */
function verbOf(name: string): string {
  return name.replace(/(Sync)?( .*)?$/, '').replace(/^(read|write)File$/, 'openFile');
}

/** Refused before any system call, by every verb. */
const refused: readonly [string, unknown, string, RegExp][] = [
  ['an empty path', '', 'ERR_DIRFD_INVALID_PATH', /the path is empty; use '\.'/],
  ['empty bytes', Buffer.alloc(0), 'ERR_DIRFD_INVALID_PATH', /the path is empty/],
  ['an absolute path', '/etc/passwd', 'ERR_DIRFD_PATH_ESCAPE', /absolute.*'\/etc\/passwd'/],
  ['absolute bytes', Buffer.from('/etc'), 'ERR_DIRFD_PATH_ESCAPE', /absolute/],
  ["'..'", '..', 'ERR_DIRFD_PATH_ESCAPE', /'\.\.' component/],
  ["'..' inside", 'kept/../kept', 'ERR_DIRFD_PATH_ESCAPE', /'\.\.' component/],
  ["'..' in bytes", Buffer.from('a/..'), 'ERR_DIRFD_PATH_ESCAPE', /'\.\.' component/],
  ['a NUL', 'kept\0x', 'ERR_DIRFD_INVALID_PATH', /NUL, .*'kept\\u0000x'/],
  ['a NUL byte', Buffer.from('kept\0'), 'ERR_DIRFD_INVALID_PATH', /NUL byte/],
  ['a lone surrogate', 'a\ud800', 'ERR_DIRFD_INVALID_PATH', /lone surrogate/],
  ['undefined', undefined, 'ERR_DIRFD_INVALID_PATH', /not undefined/],
  ['null', null, 'ERR_DIRFD_INVALID_PATH', /must be a string or a Uint8Array/],
  ['a number', 5, 'ERR_DIRFD_INVALID_PATH', /not number/],
  ['an array', ['kept'], 'ERR_DIRFD_INVALID_PATH', /not object/],
  ['a String object', new String('kept'), 'ERR_DIRFD_INVALID_PATH', /not object/],
  ['a Uint16Array', new Uint16Array([65]), 'ERR_DIRFD_INVALID_PATH', /not object/],
];

for (const [what, path, code, message] of refused) {
  test(`${what} is refused by every verb before anything happens`, async (t) => {
    const { path: place, directory } = await scratch(t);
    writeFileSync(join(place, 'kept'), 'content');
    for (const [verb, act] of Object.entries(verbsTaking(directory, path as string))) {
      // These have a default, so that undefined is no mistake.
      if (path === undefined && ['stat', 'statSync', 'readdir', 'entries', 'getflags'].includes(verb)) continue;
      // A verb that gives a promise rejects it; only the sync forms may throw at once.
      const outcome = verb.includes('Sync') ? (async () => act())() : (act() as Promise<unknown>);
      const error = await rejects(outcome, { code });
      assert.match(error.message, message, verb);
      assert.equal(error.errno, undefined, verb);
      assert.equal(error.syscall, verbOf(verb));
      assert.equal(error.directory, place, verb);
      if (typeof path === 'string') assert.equal(error.path, path);
    }
    assert.deepEqual(readdirSync(place), ['kept']);
    assert.equal(readFileSync(join(place, 'kept'), 'utf8'), 'content');
  });
}

test('names of 256 bytes are refused by the kernel, of 255 are fine, in characters of any width', async (t) => {
  const { directory } = await scratch(t);
  for (const character of ['n', 'é', '漢', '🗂']) {
    const bytes = Buffer.byteLength(character);
    const fits = character.repeat(Math.floor(255 / bytes)) + 'x'.repeat(255 % bytes);
    await directory.writeFile(fits, '');
    const error = await rejects(directory.writeFile(`${fits}x`, ''), { code: 'ENAMETOOLONG', errno: -36 });
    assert.match(error.message, /\(a single name has at most 255 bytes\)/);
  }
});

test('bytes that are not UTF-8 are shown as such and kept exactly', async (t) => {
  const { path, directory } = await scratch(t);
  const name = Buffer.from('b\xfcro\n', 'latin1');
  const error = await rejects(directory.stat(name), { code: 'ENOENT', path: 'b\ufffdro\n' });
  assert.deepEqual(error.pathBytes, name);
  assert.equal(error.message, `ENOENT: no such file or directory, statx 'b\ufffdro\\n' in '${path}'`);
  assert.ok(!inspect(error).includes('pathBytes'), 'printed once, not twice');
});

test('an error has the fields of a Node system error, and is an Error', async (t) => {
  const { path, directory } = await scratch(t);
  const error = await rejects(directory.rename('a', 'b'), {
    name: 'FsError',
    code: 'ENOENT',
    errno: -2,
    syscall: 'renameat2',
    path: 'a',
    dest: 'b',
    directory: path,
  });
  assert.ok(error instanceof Error && error instanceof FsError);
  assert.equal(error.message, `ENOENT: no such file or directory, renameat2 'a' -> 'b' in '${path}'`);
  assert.match(error.stack ?? '', /errors\.test\.js/, 'the stack leads to the caller');
  assert.throws(() => directory.statSync('a'), { code: 'ENOENT', syscall: 'statx', path: 'a' });
});

test('nothing in a message can act on a terminal or turn its text round', async (t) => {
  const { directory } = await scratch(t);
  for (const nasty of ['\x1b[2J', '\r', '\x07', '\x7f', '\x9b31m', '\u202e', '\u2066', "'", '\\']) {
    const error = await rejects(directory.stat(`x${nasty}y`), 'ENOENT');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(error.message, /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
    assert.equal(error.path, `x${nasty}y`);
  }
  assert.match((await rejects(directory.stat("it's"), 'ENOENT')).message, /'it\\'s'/);
});

test('opening a root fails clearly, whatever was given', async (t) => {
  const { path } = await scratch(t);
  writeFileSync(join(path, 'file'), '');
  symlinkSync(path, join(path, 'link'));
  await rejects(DirectoryFd.open(join(path, 'missing')), {
    code: 'ENOENT',
    syscall: 'openat',
    path: join(path, 'missing'),
  });
  await rejects(DirectoryFd.open(join(path, 'file')), 'ENOTDIR');
  for (const bad of ['', 'a\0b', 5, undefined, null, {}]) {
    await rejects(DirectoryFd.open(bad as string), 'ERR_DIRFD_INVALID_PATH');
    assert.throws(() => DirectoryFd.openSync(bad as string), { code: 'ERR_DIRFD_INVALID_PATH' });
  }
  await rejects(DirectoryFd.open(path, { resolution: 'anything' as 'beneath' }), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(DirectoryFd.open(path, { crossMounts: 'no' as unknown as boolean }), 'ERR_DIRFD_INVALID_ARGUMENT');
  // The caller's own path may be anything that leads to a directory.
  for (const good of [
    join(path, 'link'),
    Buffer.from(path),
    pathToFileURL(path),
    `${path}/../${path.split('/').at(-1)}`,
  ]) {
    await using directory = await DirectoryFd.open(good);
    assert.equal((await directory.stat()).ino, (await (await opened(t, path)).stat()).ino);
  }
});

test('a directory that is removed, or moved, while it is held', async (t) => {
  const { path } = await scratch(t);
  mkdirSync(join(path, 'held'));
  writeFileSync(join(path, 'held/file'), 'content');
  const held = await opened(t, join(path, 'held'));
  await (await opened(t, path)).rename('held', 'moved');
  mkdirSync(join(path, 'held'));
  assert.equal(await held.readFile('file', 'utf8'), 'content', 'the handle leads to the directory, not to its name');
  await held.writeFile('second', '');
  assert.deepEqual(readdirSync(join(path, 'held')), []);
  rmSync(join(path, 'moved'), { recursive: true });
  await rejects(held.writeFile('third', ''), { code: 'ENOENT', path: 'third' });
  await rejects(held.stat('file'), 'ENOENT');
  await rejects(held.readdir(), { code: 'ENOENT', syscall: 'getdents64' });
});

test('a read-only file system refuses every change with EROFS', async (t) => {
  const path = mounted(t, 'tmpfs', {
    readOnly: true,
    fill: (at) => {
      mkdirSync(join(at, 'sub'));
      writeFileSync(join(at, 'file'), 'content');
    },
  });
  if (path === undefined) return;
  const directory = await opened(t, path);
  const changes = [
    () => directory.mkdir('new'),
    () => directory.mkdir('sub/new/x', { recursive: true }),
    () => directory.rmdir('sub'),
    () => directory.unlink('file'),
    () => directory.rename('file', 'x'),
    () => directory.link('file', 'x'),
    () => directory.symlink('x', 'y'),
    () => directory.mkfifo('fifo'),
    () => directory.chmod('file', 0o600),
    () => directory.chown('file', 0, 0),
    () => directory.utimes('file', 0n, 0n),
    () => directory.setxattr('file', 'user.x', ''),
    () => directory.writeFile('file', 'x'),
    () => directory.writeFile('new', 'x'),
    () => directory.createTemporaryFile(),
    () => directory.removeTree('sub'),
    () => directory.access('file', 2),
  ];
  for (const change of changes) await rejects(change(), { code: 'EROFS', errno: -30 });
  assert.equal(await directory.mkdir('sub', { recursive: true }), undefined);
  assert.equal((await directory.statfs()).readOnly, true);
  assert.equal(await directory.readFile('file', 'utf8'), 'content');
});

test('a full file system fails with ENOSPC, and tells where', async (t) => {
  const path = mounted(t, 'tmpfs', { megabytes: 1 });
  if (path === undefined) return;
  const directory = await opened(t, path);
  const error = await rejects(directory.writeFile('big', Buffer.alloc(2 << 20)), { code: 'ENOSPC', syscall: 'write' });
  assert.deepEqual([error.path, error.directory], ['big', path]);
  await using file = await directory.openFile('big', 'r+');
  const fields = { code: 'ENOSPC', syscall: 'fallocate', path: 'big', directory: path };
  await rejects(file.allocate(0, 4 << 20), fields);
  assert.equal(file.path, join(path, 'big'));
});

test('a file that grows beyond the limit of the process fails with EFBIG', async (t) => {
  const { path } = await scratch(t);
  const script = importable(`
    import { DirectoryFd } from 'dirfd';
    const directory = await DirectoryFd.open(process.argv[1]);
    await directory.writeFile('big', Buffer.alloc(10000)).catch((error) => console.log(error.code, error.syscall));`);
  const ran = withFileSize(4096, [process.execPath, '--input-type=module', '-e', script, '--', path]);
  assert.equal(ran.stdout, 'EFBIG write\n', ran.stderr);
});

test('a process without descriptors is told what to do', async (t) => {
  if (!requireTool(t, 'prlimit')) return;
  const { path } = await scratch(t);
  const script = importable(`
    import { DirectoryFd } from 'dirfd';
    ${limitOpenFilesSource(64)}
    const kept = [];
    try { for (;;) kept.push(await DirectoryFd.open(process.argv[1])); } catch (error) { console.log(error.message); }
    await Promise.all(kept.map((each) => each.close()));
    await DirectoryFd.open(process.argv[1]);`);
  const ran = attempt(process.execPath, ['--input-type=module', '-e', script, '--', path]);
  assert.match(ran.stdout, /^EMFILE: .*\(this process has no descriptors left; raise `ulimit -n`\)\n$/, ran.stderr);
});

test('close reports what the file system tells only then, and frees the descriptor all the same', async (t) => {
  if (!requireTool(t, 'strace')) return;
  const { path } = await scratch(t);
  const script = importable(`
    import { DirectoryFd } from 'dirfd';
    const directory = await DirectoryFd.open(process.argv[1]);
    const file = await directory.openFile('file', 'w');
    const number = file.unsafeFd();
    const error = await file.close().catch((error) => error);
    console.log(error.code, error.syscall, (await directory.openFile('file', 'w')).unsafeFd() === number);`);
  const command = [process.execPath, '--input-type=module', '-e', script, '--', path];
  const traced = strace(command, {
    trace: [],
    paths: [join(path, 'file')],
    inject: ['close:error=EIO'],
  });
  assertInjected(traced, 'close');
  assert.match(traced.stdout, /^EIO close/, traced.stderr);
});
