// crossMounts: false stops at every mount point, for every verb, also where the mount shows the same file system.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { DirectoryFd, FsError } from 'dirfd';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { bindMount } from '../fixtures/mounts.js';
import { opened, rejects, scratch } from './scratch.js';

expectNoLeaks();

const EXDEV = { errno: -constants.errno.EXDEV, code: 'EXDEV' };

/** Every verb on one path that exists. */
function verbsOn(directory: DirectoryFd, name: string): Record<string, () => Promise<unknown>> {
  return {
    stat: () => directory.stat(name),
    statFollow: () => directory.statFollow(name),
    access: () => directory.access(name),
    exists: () => directory.exists(name),
    readdir: () => directory.readdir(name),
    entries: () => directory.entries(name),
    openDirectory: () => directory.openDirectory(name),
    openDirectoryFollow: () => directory.openDirectoryFollow(name),
    openFile: () => directory.openFile(name),
    openFileFollow: () => directory.openFileFollow(name),
    readFile: () => directory.readFile(name),
    writeFile: () => directory.writeFile(name, ''),
    chmod: () => directory.chmod(name, 0o700),
    chown: () => directory.chown(name, 0, 0),
    utimes: () => directory.utimes(name, 0n, 0n),
    getxattr: () => directory.getxattr(name, 'user.x'),
    setxattr: () => directory.setxattr(name, 'user.x', ''),
    listxattr: () => directory.listxattr(name),
    removexattr: () => directory.removexattr(name, 'user.x'),
    getflags: () => directory.getflags(name),
    setflags: () => directory.setflags(name, 0),
    readlink: () => directory.readlink(name),
    mkdir: () => directory.mkdir(name),
    'mkdir recursive': () => directory.mkdir(name, { recursive: true }),
    symlink: () => directory.symlink('x', name),
    mkfifo: () => directory.mkfifo(name),
    unlink: () => directory.unlink(name),
    rmdir: () => directory.rmdir(name),
    removeTree: () => directory.removeTree(name),
    'rename from': () => directory.rename(name, 'new'),
    'rename to': () => directory.rename('file', name),
    'link from': () => directory.link(name, 'new'),
    'link to': () => directory.link('file', name),
  };
}

test('no verb crosses onto another mount', async (t) => {
  const { path } = await scratch(t);
  mkdirSync(join(path, 'tree/directory'), { recursive: true });
  mkdirSync(join(path, 'elsewhere/inner'), { recursive: true });
  writeFileSync(join(path, 'tree/file'), '');
  writeFileSync(join(path, 'tree/mounted-file'), '');
  writeFileSync(join(path, 'elsewhere/file'), 'other');
  symlinkSync('directory', join(path, 'tree/link'));
  if (!bindMount(t, join(path, 'elsewhere'), join(path, 'tree/directory'))) return;
  if (!bindMount(t, join(path, 'elsewhere/file'), join(path, 'tree/mounted-file'))) return;
  for (const resolution of ['no-symlinks', 'beneath', 'in-root'] as const) {
    const confined = await opened(t, join(path, 'tree'), { resolution, crossMounts: false });
    for (const name of ['directory', 'mounted-file', 'directory/inner', 'directory/new', 'directory/']) {
      for (const [verb, act] of Object.entries(verbsOn(confined, name))) {
        const error = await act().then(
          () => undefined,
          (thrown: FsError) => thrown,
        );
        assert.equal(error?.code, 'EXDEV', `${verb} '${name}' in ${resolution}: ${error?.message ?? 'no error'}`);
      }
    }
    await confined.stat('file');
    await confined.chmod('.', 0o755);
    // An unlink of the root's own children goes on working.
    await confined.mkdir('made/below', { recursive: true });
    await confined.removeTree('made');
    const crossing = await opened(t, join(path, 'tree'), { resolution });
    assert.equal(await crossing.readFile('directory/file', 'utf8'), 'other');
    await crossing.utimes('mounted-file', 1n, 2n);
  }
  const beneath = await opened(t, join(path, 'tree'), { resolution: 'beneath', crossMounts: false });
  await rejects(beneath.statFollow('link/file'), EXDEV);
  symlinkSync('/etc', join(path, 'tree/out'));
  // openat2 says EXDEV for both; the difference is kept.
  await rejects(beneath.statFollow('out'), { code: 'ERR_DIRFD_PATH_ESCAPE', errno: EXDEV.errno });
});

test('removeTree leaves what is mounted below alone unless both the handle and the call say otherwise', async (t) => {
  const { path } = await scratch(t);
  mkdirSync(join(path, 'tree/a/mountpoint'), { recursive: true });
  mkdirSync(join(path, 'outside'));
  writeFileSync(join(path, 'outside/sentinel'), '');
  writeFileSync(join(path, 'tree/a/file'), '');
  if (!bindMount(t, join(path, 'outside'), join(path, 'tree/a/mountpoint'))) return;
  for (const crossMounts of [false, true]) {
    const directory = await opened(t, path, { crossMounts });
    const error = await rejects(directory.removeTree('tree', { oneFileSystem: crossMounts }), EXDEV);
    assert.equal(error.path, 'tree/a/mountpoint');
    const { errors, errorCount } = await directory.removeTree('tree', { onError: 'continue' });
    assert.equal(errorCount, 1);
    assert.deepEqual(
      errors.map(({ error: { code }, path: where }) => [code, where]),
      [['EXDEV', 'tree/a/mountpoint']],
    );
  }
  assert.deepEqual(await (await opened(t, join(path, 'outside'))).readdir(), ['sentinel']);
  const crossing = await opened(t, path);
  await rejects(crossing.removeTree('tree', { oneFileSystem: false }), { code: 'EBUSY', path: 'tree/a/mountpoint' });
  assert.deepEqual(await crossing.readdir('outside'), []);
});
