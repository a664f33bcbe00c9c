// What a file is, asked and changed by name: stat, mode, owner, access, inode flags, statfs.
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, statfsSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { inspect } from 'node:util';
import type { Stat } from 'dirfd';
import { attempt } from '../fixtures/command.js';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { isDisabled } from '../fixtures/fallbacks.js';
import { mounted } from '../fixtures/mounts.js';
import { ordinaryDirectory, ordinaryUserCanRun, runAsOrdinaryUser } from '../fixtures/ordinary-user.js';
import { isRoot, requireRoot } from '../fixtures/tools.js';
import { opened, rejects, scratch } from './scratch.js';

expectNoLeaks();

function assertSame(stat: Stat, path: string): void {
  const { mode, uid, gid, nlink, size, blocks, ino, dev, rdev, ...times } = lstatSync(path, { bigint: true });
  const found = {
    ...{ mode: BigInt(stat.mode), uid: BigInt(stat.uid), gid: BigInt(stat.gid), nlink: BigInt(stat.nlink) },
    ...{ size: BigInt(stat.size), blocks: BigInt(stat.blocks), ino: stat.ino, dev: stat.dev, rdev: stat.rdev },
    ...{ atimeNs: stat.atimeNs, mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs, birthtimeNs: stat.birthtimeNs },
  };
  const { atimeNs, mtimeNs, ctimeNs, birthtimeNs } = times;
  assert.deepEqual(found, {
    ...{ mode, uid, gid, nlink, size, blocks, ino, dev, rdev },
    ...{ atimeNs, mtimeNs, ctimeNs, birthtimeNs },
  });
}

test('stat tells what lstat tells, of every kind, by name and by descriptor', async (t) => {
  const { path, directory } = await scratch(t);
  mkdirSync(join(path, 'directory'));
  writeFileSync(join(path, 'file'), 'x'.repeat(12345));
  symlinkSync('nowhere', join(path, 'symlink'));
  await directory.mkfifo('fifo');
  await directory.mknod('socket', 0o140600);
  const kinds = {
    directory: 'isDirectory',
    file: 'isFile',
    symlink: 'isSymbolicLink',
    fifo: 'isFIFO',
    socket: 'isSocket',
  };
  for (const [kind, method] of Object.entries(kinds)) {
    const stat = await directory.stat(kind);
    assertSame(stat, join(path, kind));
    assertSame(directory.statSync(kind), join(path, kind));
    assert.equal(stat.kind, kind);
    for (const other of Object.values(kinds)) {
      assert.equal(stat[other as 'isFile'](), other === method, `${kind}.${other}`);
    }
    const entry = (await directory.entries()).find(({ name }) => name === kind);
    assert.ok(entry);
    assert.equal(entry.kind, kind);
    assertSame(entry.stat, join(path, kind));
  }
  assertSame(await directory.stat(), path);
  await using file = await directory.openFile('file');
  assertSame(await file.stat(), join(path, 'file'));
  assertSame(file.statSync(), join(path, 'file'));
  assert.ok((await directory.stat()).mountId > 0n);
});

test('a stat can be printed as JSON, with exact numbers as text', async (t) => {
  const { directory } = await scratch(t);
  const stat = await directory.stat();
  const json = JSON.parse(JSON.stringify(stat));
  assert.equal(json.ino, String(stat.ino));
  assert.equal(json.kind, 'directory');
});

test('handles, entries and stats show what they are when printed', async (t) => {
  const { path, directory } = await scratch(t);
  writeFileSync(join(path, 'file'), 'x'.repeat(7));
  await using file = await directory.openFile('file');
  const [entry] = await directory.entries();
  const [named] = await directory.readdir('.', { withFileTypes: true });
  const inOneLine = { breakLength: Number.POSITIVE_INFINITY };
  assert.equal(inspect(directory, inOneLine), `DirectoryFd { path: '${path}', closed: false }`);
  assert.equal(inspect(file, inOneLine), `FileFd { path: '${path}/file', closed: false }`);
  assert.equal(inspect(entry), "DirectoryEntry { name: 'file', kind: 'file' }");
  assert.equal(inspect(named), "NamedEntry { name: 'file', kind: 'file' }");
  assert.match(
    inspect(await file.stat()),
    /^Stat \{\s+kind: 'file',\s+mode: '0o100\d{3}',[\s\S]*size: 7,[\s\S]*mtime: \d{4}-/,
  );
});

test('statFollow follows the last link, stat does not', async (t) => {
  const { path, directory } = await scratch(t, { resolution: 'beneath' });
  writeFileSync(join(path, 'file'), '');
  symlinkSync('file', join(path, 'link'));
  symlinkSync('/etc/passwd', join(path, 'out'));
  assert.equal((await directory.stat('link')).kind, 'symlink');
  assert.equal((await directory.statFollow('link')).ino, statSync(join(path, 'file'), { bigint: true }).ino);
  await rejects(directory.statFollow('out'), { code: 'ERR_DIRFD_PATH_ESCAPE', errno: -constants.errno.EXDEV });
});

test('chmod sets permission and special bits, and refuses a symlink', async (t) => {
  const { path, directory } = await scratch(t);
  writeFileSync(join(path, 'file'), '');
  mkdirSync(join(path, 'directory'));
  await directory.mkfifo('fifo');
  symlinkSync('file', join(path, 'link'));
  for (const name of ['file', 'directory']) {
    for (const mode of [0o000, 0o644, 0o4755, 0o1777, 0o2700]) {
      // Without /proc and fchmodat2 only the owner of a readable file can be helped (native/ops/set_mode.h).
      if (
        !isRoot() &&
        isDisabled('proc') &&
        isDisabled('fchmodat2') &&
        (statSync(join(path, name)).mode & 0o400) === 0
      ) {
        await rejects(directory.chmod(name, mode), 'EACCES');
        attempt('chmod', ['600', join(path, name)]);
      }
      await directory.chmod(name, mode);
      assert.equal(lstatSync(join(path, name)).mode & 0o7777, mode);
    }
    directory.chmodSync(name, '700');
    assert.equal(lstatSync(join(path, name)).mode & 0o7777, 0o700);
  }
  if (isDisabled('proc') && isDisabled('fchmodat2')) {
    await rejects(directory.chmod('fifo', 0o640), 'ERR_DIRFD_UNSUPPORTED');
  } else {
    await directory.chmod('fifo', 0o640);
    assert.equal(lstatSync(join(path, 'fifo')).mode & 0o777, 0o640);
  }
  const { message } = await rejects(directory.chmod('link', 0o777), { code: 'ENOTSUP', errno: -95 });
  assert.match(message, /^ENOTSUP: operation not supported, fchmodat2 'link' in /);
  assert.equal(lstatSync(join(path, 'file')).mode & 0o777, 0o700);
  for (const bad of [-1, 0o10000, 1.5, Number.NaN, '8', '', '0o644', {} as number]) {
    await rejects(directory.chmod('file', bad), 'ERR_DIRFD_INVALID_ARGUMENT');
  }
});

test('chown sets owner and group of the entry itself, a symlink included', async (t) => {
  const { path, directory } = await scratch(t);
  writeFileSync(join(path, 'file'), '');
  symlinkSync('file', join(path, 'link'));
  await directory.chown('file', -1, -1);
  for (const bad of [-2, 2 ** 32, 1.5, Number.NaN]) {
    await rejects(directory.chown('file', bad, 0), 'ERR_DIRFD_INVALID_ARGUMENT');
  }
  if (!requireRoot(t)) return;
  await directory.chown('link', 1234, 5678);
  directory.chownSync('file', 4_294_967_294, -1);
  const [file, link] = [lstatSync(join(path, 'file')), lstatSync(join(path, 'link'))];
  assert.deepEqual([link.uid, link.gid], [1234, 5678]);
  assert.deepEqual([file.uid, file.gid], [4_294_967_294, 0]);
});

test('access asks for this process, exists for a name', async (t) => {
  const { path, directory } = await scratch(t);
  writeFileSync(join(path, 'file'), '', { mode: 0o600 });
  symlinkSync('nowhere', join(path, 'dangling'));
  await directory.access('file');
  await directory.access('file', 6);
  directory.accessSync('file', 4);
  await rejects(directory.access('file', 1), { code: 'EACCES', syscall: 'faccessat2' });
  await rejects(directory.access('missing'), 'ENOENT');
  await rejects(directory.access('file', 8), 'ERR_DIRFD_INVALID_ARGUMENT');
  assert.deepEqual(await Promise.all(['file', 'dangling', 'missing', 'file/x'].map((name) => directory.exists(name))), [
    true,
    true,
    false,
    false,
  ]);
  assert.equal(directory.existsSync('dangling'), true);
  assert.equal(directory.existsSync('missing'), false);
  await rejects(directory.exists('dangling/x'), 'ELOOP');
  await rejects(directory.exists('..'), 'ERR_DIRFD_PATH_ESCAPE');
});

test('inode flags are those that chattr sets', async (t) => {
  const path = mounted(t, 'ext4', { megabytes: 32 });
  if (path === undefined) return;
  const directory = await opened(t, path);
  writeFileSync(join(path, 'file'), '');
  symlinkSync('file', join(path, 'link'));
  await directory.mkfifo('fifo');
  const [immutable, nodump] = [0x10, 0x40];
  const before = await directory.getflags('file');
  await directory.setflags('file', before | nodump | immutable);
  assert.equal(await directory.getflags('file'), before | nodump | immutable);
  assert.match(attempt('lsattr', [join(path, 'file')]).stdout, /^-*i-*d/);
  await rejects(directory.unlink('file'), 'EPERM');
  assert.equal(((await directory.stat('file')).attributes & 0x10n) !== 0n, true);
  await directory.setflags('file', before);
  await directory.setflags('.', (await directory.getflags()) | nodump);
  assert.equal((await directory.getflags('.')) & nodump, nodump);
  await rejects(directory.getflags('fifo'), 'ERR_DIRFD_UNSUPPORTED');
  await rejects(directory.getflags('link'), 'ERR_DIRFD_UNSUPPORTED');
  await rejects(directory.setflags('file', -1), 'ERR_DIRFD_INVALID_ARGUMENT');
});

test('statfs tells what node:fs tells', async (t) => {
  const { path, directory } = await scratch(t);
  const { type, bsize, blocks, files } = statfsSync(path);
  const found = await directory.statfs();
  assert.deepEqual([found.type, found.bsize, found.blocks, found.files], [type, bsize, blocks, files]);
  assert.equal(found.namelen >= 143, true);
  assert.equal(found.readOnly, false);
});

test('an ordinary user is refused what is not his', (t) => {
  if (!ordinaryUserCanRun(t)) return;
  const ran = runAsOrdinaryUser(
    ordinaryDirectory(t),
    `import { DirectoryFd } from 'dirfd';
     import { mkdirSync, writeFileSync, chmodSync } from 'node:fs';
     mkdirSync('locked/inner', { recursive: true });
     writeFileSync('unreadable', '', { mode: 0o000 });
     writeFileSync('mine', '');
     chmodSync('locked', 0o000);
     const directory = await DirectoryFd.open('.');
     const codeOf = (promise) => promise.then(() => 'no error', (error) => error.code);
     const codes = [
       await codeOf(directory.stat('locked/inner')),
       await codeOf(directory.readdir('locked')),
       await codeOf(directory.readFile('unreadable')),
       await codeOf(directory.openFile('locked/new', 'w')),
       await codeOf(directory.chown('unreadable', 0, 0)),
       await codeOf(directory.mknod('device', 0o020600, 0x103)),
       await codeOf(directory.setxattr('mine', 'trusted.x', 'y')),
     ];
     console.log(codes.join(' '));
     chmodSync('locked', 0o700);`,
  );
  assert.equal(ran.stdout, 'EACCES EACCES EACCES EACCES EPERM EPERM EPERM\n', ran.stderr);
});
