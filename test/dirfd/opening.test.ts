// Opening files: only what is named, only regular ones, never blocking, never truncating anything else.
import assert from 'node:assert/strict';
import {
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { isDisabled } from '../fixtures/fallbacks.js';
import { importable } from '../fixtures/ordinary-user.js';
import { callsBetween, markCalls, markSource, strace } from '../fixtures/strace.js';
import { isRoot, requireTool } from '../fixtures/tools.js';
import { opened, rejects, scratch } from './scratch.js';

expectNoLeaks();

test("the flags are those of node:fs, as text or as numbers, in fs.open's order or as options", async (t) => {
  const { path, directory } = await scratch(t);
  writeFileSync(join(path, 'file'), 'content');
  const read = async (open: ReturnType<typeof directory.openFile>) => {
    await using file = await open;
    return await file.readFile('utf8');
  };
  assert.equal(await read(directory.openFile('file')), 'content');
  assert.equal(await read(directory.openFile('file', 'r')), 'content');
  assert.equal(await read(directory.openFile('file', constants.O_RDONLY)), 'content');
  assert.equal(await read(directory.openFile('file', { flags: 'rs' })), 'content');
  await (await directory.openFile('new', 'wx', 0o640)).close();
  assert.equal(lstatSync(join(path, 'new')).mode & 0o777, 0o640);
  directory.openFileSync('newer', 'w', 0o600).closeSync();
  assert.equal(lstatSync(join(path, 'newer')).mode & 0o777, 0o600);
  await rejects(directory.openFile('new', 'wx'), { code: 'EEXIST', path: 'new' });
  await rejects(directory.openFile('missing', 'r+'), { code: 'ENOENT', path: 'missing' });
  await (await directory.openFile('file', 'r+')).close();
  await (await directory.openFile('file', 'a')).close();
  assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'content', 'r+ and a truncate nothing');
  await (await directory.openFile('file', 'w')).close();
  assert.equal(readFileSync(join(path, 'file'), 'utf8'), '');
});

test('flags that are none, or that open no file, are refused', async (t) => {
  const { directory } = await scratch(t);
  await directory.writeFile('file', 'content');
  const { O_DIRECTORY, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
  const [O_PATH, O_TMPFILE] = [0o10000000, 0o20200000];
  const bad = ['', 'q', 'R', '__proto__', -1, 1.5, Number.NaN, 3, O_PATH, O_DIRECTORY, O_TMPFILE | 2, 2 ** 40];
  for (const flags of bad) {
    const error = await rejects(directory.openFile('file', { flags: flags as string }), 'ERR_DIRFD_INVALID_ARGUMENT');
    assert.match(error.message, /open flags/);
  }
  // What is in force anyway does no harm.
  await (await directory.openFile('file', O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)).close();
});

test('whatever is no regular file is refused, and named for what it is', async (t) => {
  const { path, directory } = await scratch(t);
  mkdirSync(join(path, 'directory'));
  symlinkSync('file', join(path, 'dangling'));
  await directory.mkfifo('fifo');
  await directory.mknod('socket', 0o140600);
  if (isRoot()) await directory.mknod('null', 0o020600, 0x103);
  for (const flags of ['r', 'w', 'a', 'r+', 'w+']) {
    await rejects(directory.openFile('directory', flags), 'EISDIR');
    await rejects(directory.openFile('.', flags), 'EISDIR');
    await rejects(directory.openFile('dangling', flags), 'ELOOP');
    await rejects(directory.openFile('fifo', flags), { code: 'ERR_DIRFD_NOT_REGULAR', errno: -6 });
    await rejects(directory.openFile('socket', flags), 'ERR_DIRFD_NOT_REGULAR');
    if (isRoot()) await rejects(directory.openFile('null', flags), 'ERR_DIRFD_NOT_REGULAR');
  }
  await rejects(directory.openFile('fifo', 'wx'), 'EEXIST');
  await rejects(directory.openDirectory('fifo'), 'ENOTDIR');
  await rejects(directory.readdir('fifo'), 'ENOTDIR');
  assert.throws(() => lstatSync(join(path, 'file')), { code: 'ENOENT' }, 'nothing was made through the link');
});

test('the forms that follow stay within the resolution', async (t) => {
  const { path, directory } = await scratch(t);
  mkdirSync(join(path, 'inner'));
  writeFileSync(join(path, 'inner/file'), 'inside');
  symlinkSync('inner/file', join(path, 'link'));
  symlinkSync('inner', join(path, 'link-to-inner'));
  symlinkSync('/inner/file', join(path, 'absolute'));
  symlinkSync('../../../../etc/passwd', join(path, 'out'));
  await directory.mkfifo('fifo');
  symlinkSync('fifo', join(path, 'link-to-fifo'));
  await rejects(directory.openFileFollow('link'), 'ELOOP');
  const beneath = await opened(t, path, { resolution: 'beneath' });
  const inRoot = await opened(t, path, { resolution: 'in-root' });
  for (const each of [beneath, inRoot]) {
    await using file = await each.openFileFollow('link', 'r+');
    assert.equal(await file.readFile('utf8'), 'inside');
    await rejects(each.openFile('link'), 'ELOOP');
    await using followed = await each.openDirectoryFollow('link-to-inner');
    assert.equal(followed.resolution, each.resolution);
    assert.deepEqual(await followed.readdir(), ['file']);
    await rejects(each.openDirectory('link-to-inner'), 'ENOTDIR');
    await rejects(each.openFileFollow('link-to-fifo'), 'ERR_DIRFD_NOT_REGULAR');
    await rejects(each.openFileFollow('missing', 'w'), 'ENOENT');
  }
  await rejects(beneath.openFileFollow('absolute'), 'ERR_DIRFD_PATH_ESCAPE');
  await rejects(beneath.openFileFollow('out'), 'ERR_DIRFD_PATH_ESCAPE');
  await using file = await inRoot.openFileFollow('absolute');
  assert.equal(await file.readFile('utf8'), 'inside');
  await rejects(inRoot.openFileFollow('out'), 'ENOENT');
});

test('resolution and crossMounts are inherited, and may be changed for what is opened', async (t) => {
  const { path, directory } = await scratch(t, { resolution: 'beneath', crossMounts: false });
  mkdirSync(join(path, 'inner'));
  await using inherited = await directory.openDirectory('inner');
  assert.deepEqual([inherited.resolution, inherited.crossMounts], ['beneath', false]);
  using_(await directory.openDirectory('inner', { resolution: 'in-root', crossMounts: true }), ['in-root', true]);
  using_(directory.openDirectorySync('inner', { resolution: 'no-symlinks' }), ['no-symlinks', false]);
  function using_(other: typeof inherited, expected: unknown[]): void {
    assert.deepEqual([other.resolution, other.crossMounts], expected);
    other.closeSync();
  }
});

test('truncation reaches only the file that was named when it was opened', async (t) => {
  const { path, directory } = await scratch(t);
  writeFileSync(join(path, 'victim'), 'precious');
  writeFileSync(join(path, 'file'), 'content');
  await using file = await directory.openFile('file', 'r+');
  renameSync(join(path, 'victim'), join(path, 'file'));
  await file.truncate(0);
  assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'precious');
  linkSync(join(path, 'file'), join(path, 'second'));
  await rejects(directory.openFile('file/', 'w'), 'ENOTDIR');
  assert.equal(readFileSync(join(path, 'second'), 'utf8'), 'precious');
});

test('no FIFO, socket or device is ever opened, by any verb: strace sees O_PATH only', async (t) => {
  if (!requireTool(t, 'strace')) return;
  const { path, directory } = await scratch(t);
  const special = isRoot() ? ['fifo', 'socket', 'device'] : ['fifo', 'socket'];
  await directory.mkfifo('fifo');
  await directory.mknod('socket', 0o140600);
  if (isRoot()) await directory.mknod('device', 0o020600, 0x501); // /dev/console: to open it is to be seen
  const script = `${markSource}
    import { DirectoryFd } from 'dirfd';
    const directory = await DirectoryFd.open(process.argv[1], { resolution: 'beneath' });
    mark('begin');
    for (const name of process.argv.slice(2)) {
      for (const act of [
        () => directory.stat(name), () => directory.statFollow(name), () => directory.access(name, 6),
        () => directory.openFile(name), () => directory.openFile(name, 'w'), () => directory.openFile(name, 'a+'),
        () => directory.openFileFollow(name, 'r+'), () => directory.openDirectory(name), () => directory.readdir(name),
        () => directory.readFile(name), () => directory.writeFile(name, 'x'), () => directory.chmod(name, 0o666),
        () => directory.chown(name, -1, -1), () => directory.utimes(name, 1n, 2n), () => directory.listxattr(name),
        () => directory.getxattr(name, 'user.x'), () => directory.setxattr(name, 'user.x', ''),
        () => directory.getflags(name), () => directory.setflags(name, 0), () => directory.readlink(name),
        () => directory.link(name, name + '-link'), () => directory.rename(name + '-link', name + '-moved'),
        () => directory.entries(), () => directory.readdir('.', { withFileTypes: true }),
        () => directory.openFile(name + '/x'), () => directory.removeTree(name + '-moved'),
      ]) await act().catch(() => {});
    }
    mark('end');`;
  const command = [process.execPath, '--input-type=module', '-e', importable(script), '--', path, ...special];
  const { events, stderr, status } = strace(command, {
    trace: ['openat', 'openat2', 'open', ...markCalls],
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr);
  const opens = callsBetween(events, 'begin', 'end').filter(({ call, args }) => {
    return (
      call.startsWith('open') &&
      special.some((name) => args.some((arg) => arg.includes(`${name}"`) || arg.includes(`/${name}>`)))
    );
  });
  assert.ok(opens.length > 10, `only ${opens.length} opens seen`);
  for (const { call, args, result } of opens) {
    const harmless = args.some(
      (arg) => arg.includes('O_PATH') || arg.includes('O_EXCL') || arg.includes('O_DIRECTORY'),
    );
    assert.ok(harmless || result < 0, `${call}(${args.join(', ')})`);
  }
});

test('opening files needs no readable /proc', async (t) => {
  const { path, directory } = await scratch(t);
  writeFileSync(join(path, 'file'), 'content');
  assert.equal(await directory.readFile('file', 'utf8'), 'content');
  if (isDisabled('proc')) await rejects(directory.openFile('missing'), 'ENOENT');
});

test('what any verb opens is closed on exec and no link is followed to it; what it creates was not there', async (t) => {
  if (!requireTool(t, 'strace')) return;
  const { path } = await scratch(t);
  mkdirSync(join(path, 'sub'));
  writeFileSync(join(path, 'file'), 'x');
  const script = `${markSource}
    import { DirectoryFd } from 'dirfd';
    import { writeText } from 'dirfd/atomic';
    import { directoryCalls } from ${JSON.stringify(new URL('./every-verb.js', import.meta.url).href)};
    const directory = await DirectoryFd.open(process.argv[1]);
    mark('begin');
    for (const call of Object.values(directoryCalls)) {
      const value = await (async () => call(directory))().catch(() => {});
      await value?.close?.();
    }
    await writeText({ directory, path: 'file' }, 'y');
    mark('end');`;
  const command = [process.execPath, '--input-type=module', '-e', importable(script), '--', path];
  // With names for what is usually nameless, too.
  for (const more of [[], ['tmpfile']]) {
    const env = { ...process.env, DIRFD_DISABLE: [process.env.DIRFD_DISABLE, ...more].filter(Boolean).join() };
    const { events, stderr, status } = strace(command, { trace: ['openat', 'openat2', ...markCalls], env });
    assert.equal(status, 0, stderr);
    const opens = callsBetween(events, 'begin', 'end').filter(
      ({ call, args }) => call.startsWith('open') && !args[0]?.startsWith('AT_FDCWD'),
    );
    let created = 0;
    for (const { call, args } of opens) {
      const flags = args.slice(2).join();
      const text = `${call}(${args.join(', ')})`;
      assert.match(flags, /O_CLOEXEC/, text);
      assert.doesNotMatch(flags, /O_TRUNC/, text);
      if (call === 'openat2') assert.match(flags, /RESOLVE_NO_MAGICLINKS\|RESOLVE_NO_SYMLINKS\|RESOLVE_BENEATH/, text);
      // A link of the descriptor table of procfs leads to what is held already.
      else if (!/^\d+<\/proc\/\d+\/fd>$/.test(args[0] ?? '')) assert.match(flags, /O_NOFOLLOW/, text);
      if (!/O_CREAT/.test(flags)) continue;
      created++;
      assert.match(flags, /O_EXCL/, text);
    }
    assert.ok(created >= 2 + 2 * more.length, `${created} of ${opens.length} create`);
  }
});
