// AbortSignals: before, during and after; nothing leaks and nothing is left unhandled.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { DirectoryFd, FileFd } from 'dirfd';
import { assertDescriptorsReturn, expectNoLeaks, openDescriptors } from '../fixtures/descriptors.js';
import { rejects, scratch } from './scratch.js';

expectNoLeaks();

type Options = { signal: AbortSignal };
type Verbs = Record<string, (options: Options) => Promise<unknown>>;

function directoryVerbs(directory: DirectoryFd): Verbs {
  return {
    stat: (options) => directory.stat('file', options),
    statFollow: (options) => directory.statFollow('file', options),
    access: (options) => directory.access('file', 0, options),
    exists: (options) => directory.exists('file', options),
    chmod: (options) => directory.chmod('file', 0o600, options),
    chown: (options) => directory.chown('file', -1, -1, options),
    utimes: (options) => directory.utimes('file', 1n, 1n, options),
    getxattr: (options) => directory.getxattr('file', 'user.x', options),
    setxattr: (options) => directory.setxattr('file', 'user.x', '', options),
    listxattr: (options) => directory.listxattr('file', options),
    removexattr: (options) => directory.removexattr('file', 'user.x', options),
    getflags: (options) => directory.getflags('file', options),
    setflags: (options) => directory.setflags('file', 0, options),
    statfs: (options) => directory.statfs(options),
    mkdir: (options) => directory.mkdir('made', options),
    rmdir: (options) => directory.rmdir('made', options),
    unlink: (options) => directory.unlink('missing', options),
    rename: (options) => directory.rename('missing', 'new', options),
    link: (options) => directory.link('file', 'file', options),
    symlink: (options) => directory.symlink('x', 'file', options),
    readlink: (options) => directory.readlink('file', options),
    mknod: (options) => directory.mknod('file', 0o100600, 0, options),
    mkfifo: (options) => directory.mkfifo('file', 0o600, options),
    openDirectory: (options) => directory.openDirectory('sub', options),
    openDirectoryFollow: (options) => directory.openDirectoryFollow('sub', options),
    openFile: (options) => directory.openFile('file', options),
    openFileFollow: (options) => directory.openFileFollow('file', options),
    readdir: (options) => directory.readdir('.', options),
    entries: (options) => directory.entries('.', options),
    readFile: (options) => directory.readFile('file', options),
    writeFile: (options) => directory.writeFile('written', 'x', options),
    appendFile: (options) => directory.appendFile('written', 'x', options),
    createTemporaryFile: (options) => directory.createTemporaryFile(options),
    removeTree: (options) => directory.removeTree('nothing', options),
    sync: (options) => directory.sync(options),
    syncFileSystem: (options) => directory.syncFileSystem(options),
    open: (options) => DirectoryFd.open(directory.path, options),
  };
}

function fileVerbs(file: FileFd, directory: DirectoryFd): Verbs {
  return {
    read: (options) => file.read(Buffer.alloc(8), options),
    write: (options) => file.write('x', options),
    readv: (options) => file.readv([Buffer.alloc(8)], 0, options),
    writev: (options) => file.writev([Buffer.alloc(8)], 0, options),
    readFile: (options) => file.readFile(options),
    writeFile: (options) => file.writeFile('x', options),
    truncate: (options) => file.truncate(8, options),
    allocate: (options) => file.allocate(0, 8, options),
    sync: (options) => file.sync(options),
    datasync: (options) => file.datasync(options),
    seek: (options) => file.seek(0, 'set', options),
    stat: (options) => file.stat(options),
    chmod: (options) => file.chmod(0o600, options),
    chown: (options) => file.chown(-1, -1, options),
    utimes: (options) => file.utimes(1n, 1n, options),
    getxattr: (options) => file.getxattr('user.x', options),
    setxattr: (options) => file.setxattr('user.x', '', options),
    listxattr: (options) => file.listxattr(options),
    removexattr: (options) => file.removexattr('user.x', options),
    copyRange: (options) => file.copyRange(file, 0, options),
    clone: (options) => file.clone(file, options),
    lock: (options) => file.lock(options),
    linkInto: (options) => file.linkInto(directory, 'linked', options),
  };
}

async function everyVerb(t: Parameters<typeof scratch>[0]): Promise<Verbs> {
  const { path, directory } = await scratch(t);
  mkdirSync(join(path, 'sub'));
  writeFileSync(join(path, 'file'), 'x'.repeat(64));
  const file = await directory.openFile('file', 'r+');
  t.after(() => file.close());
  const named = (kind: string, verbs: Verbs) => Object.entries(verbs).map(([name, act]) => [`${kind}.${name}`, act]);
  return Object.fromEntries([
    ...named('directory', directoryVerbs(directory)),
    ...named('file', fileVerbs(file, directory)),
  ]);
}

async function discard(promise: Promise<unknown>): Promise<void> {
  const value = await promise.catch(() => undefined);
  if (value instanceof DirectoryFd || value instanceof FileFd) await value.close();
}

test('an aborted signal stops every verb before it begins, with its own reason', async (t) => {
  const reason = new Error('my reason');
  for (const [name, act] of Object.entries(await everyVerb(t))) {
    await assert.rejects(act({ signal: AbortSignal.abort(reason) }), reason, name);
  }
});

test('a signal that aborts during a verb rejects it, and what arrives late is closed', async (t) => {
  const verbs = await everyVerb(t);
  const descriptors = openDescriptors();
  for (const [name, act] of Object.entries(verbs)) {
    for (const wait of [undefined, 0, 1]) {
      const controller = new AbortController();
      const reason = new Error(`aborted ${name}`);
      const running = act({ signal: controller.signal });
      if (wait === undefined) controller.abort(reason);
      else setTimeout(() => controller.abort(reason), wait);
      const settled = await running.then(
        (value) => ({ value }),
        (error) => ({ error }),
      );
      if ('value' in settled) await discard(Promise.resolve(settled.value));
      else if (wait === undefined) assert.equal(settled.error, reason, `${name}: ${settled.error}`);
    }
  }
  await assertDescriptorsReturn(descriptors);
});

test('no verb leaves a listener on its signal', async (t) => {
  const { signal } = new AbortController();
  for (const [name, act] of Object.entries(await everyVerb(t))) {
    await discard(act({ signal }));
    assert.equal(getEventListeners(signal, 'abort').length, 0, name);
  }
});

test('nothing is left unhandled when verbs that would fail are aborted', async (t) => {
  const { directory } = await scratch(t);
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  t.after(() => void process.off('unhandledRejection', note));
  for (let round = 0; round < 100; round++) {
    const controller = new AbortController();
    const running = [
      directory.stat('missing', { signal: controller.signal }),
      directory.openFile('missing', { signal: controller.signal }),
      DirectoryFd.open('/missing', { signal: controller.signal }),
    ];
    controller.abort();
    await Promise.allSettled(running);
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(unhandled, []);
});

test('what is no signal is refused by every verb', async (t) => {
  for (const [name, act] of Object.entries(await everyVerb(t))) {
    const { message } = await rejects(act({ signal: {} as AbortSignal }), 'ERR_DIRFD_INVALID_ARGUMENT');
    assert.match(message, /AbortSignal/, name);
  }
});

test('waiting for a lock ends with the signal', async (t) => {
  const { directory } = await scratch(t);
  await using holder = await directory.openFile('lock', 'w');
  await using waiter = await directory.openFile('lock', 'w');
  await holder.lock();
  const reason = new Error('no longer');
  const controller = new AbortController();
  const waiting = waiter.lock({ signal: controller.signal });
  setTimeout(() => controller.abort(reason), 20);
  await assert.rejects(waiting, reason);
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  await rejects(waiter.lock({ timeout: 20 }), { code: 'ERR_DIRFD_LOCK_TIMEOUT', syscall: 'lock' });
});
