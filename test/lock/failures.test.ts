// Locks where the kernel refuses what it should not: an unlock, a question, a close. The native calls are stubbed.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FsError } from 'dirfd';
import { FileLock, LockManager, LockTimeoutError } from 'dirfd/lock';
import { native } from '#dist/native/load.js';
import { LOCK_KINDS } from '#dist/native/surface.js';
import { scratch } from '../dirfd/scratch.js';
import { openDescriptors } from '../fixtures/descriptors.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

/** Holding a lock for longer than the turn after which it is given up for a moment. */
const LONG = 30;

async function locks(t: TestContext, path: string): Promise<[FileLock, FileLock]> {
  const [a, b] = [await FileLock.open(path, 'x.lock'), await FileLock.open(path, 'x.lock')];
  t.after(() => Promise.all([a.close(), b.close()]));
  return [a, b];
}

/** From now on no lock can be brought to this kind. */
function refuse(t: TestContext, kind: (typeof LOCK_KINDS)[number]): { restore(): void } {
  const { tryLockSync } = native;
  const stub = t.mock.method(native, 'tryLockSync', (...args: Parameters<typeof tryLockSync>) => {
    if (args[1] === LOCK_KINDS.indexOf(kind)) throw new Error(`never ${kind}`);
    return tryLockSync.apply(native, args);
  });
  return stub.mock;
}

test('who waits is let in although the lock cannot be given up for a moment', async (t) => {
  const [a, b] = await locks(t, temporaryDirectory(t));
  await a.lock();
  await sleep(LONG);
  const waiting = b.lock();
  const stub = refuse(t, 'none');
  await assert.rejects(a.unlock(), /never none/);
  await waiting;
  assert.deepEqual([a.held, b.held], [undefined, 'exclusive']);
  stub.restore();
});

test('an unlock that is told to wait has failed: there is nobody to wait for', async (t) => {
  const [a] = await locks(t, temporaryDirectory(t));
  await a.lock();
  const { tryLockSync } = native;
  const stub = t.mock.method(native, 'tryLockSync', (...args: Parameters<typeof tryLockSync>) => {
    if (args[1] === LOCK_KINDS.indexOf('none')) throw new FsError('EAGAIN', { code: 'EAGAIN' });
    return tryLockSync.apply(native, args);
  });
  await assert.rejects(a.unlock(), { code: 'EAGAIN' });
  stub.mock.restore();
});

test('who gives up waiting in that moment is told why, and nothing fails behind it', async (t) => {
  const { path, directory } = await scratch(t);
  const [a, b] = await locks(t, path);
  await a.lock();
  await sleep(LONG);
  const abort = new AbortController();
  const waiting = assert.rejects(b.lock({ signal: abort.signal }), { message: 'enough' });
  const stub = refuse(t, 'none');
  await assert.rejects(a.unlock(), /never none/);
  abort.abort(new Error('enough'));
  await waiting;
  await sleep(10);
  await using other = await directory.openFile('x.lock', 'r+');
  assert.equal(await other.tryLock(), false);
  stub.restore();
  await a.lock();
  await a.unlock();
  assert.equal(await other.tryLock(), true, 'what could not be given back is given back by the next');
});

test('an upgrade that is closed while it waits is told so, also where its lock cannot be given back', async (t) => {
  const { path, directory } = await scratch(t);
  const [a, b] = await locks(t, path);
  await using other = await directory.openFile('x.lock', 'r+');
  await other.lock({ shared: true });
  await a.lock({ shared: true });
  const upgrade = assert.rejects(a.lock(), { code: 'ERR_DIRFD_CLOSED' });
  const stub = refuse(t, 'none');
  await a.close();
  await upgrade;
  stub.restore();
  await other.unlock();
  await b.lock();
});

test('a downgrade that fails leaves the exclusive lock, and others wait for it', async (t) => {
  const [a, b] = await locks(t, temporaryDirectory(t));
  await a.lock();
  const stub = refuse(t, 'shared');
  await assert.rejects(a.lock({ shared: true }), /never shared/);
  assert.equal(a.held, 'exclusive');
  await assert.rejects(b.lock({ timeout: 1 }), LockTimeoutError);
  stub.restore();
  await a.lock({ shared: true });
});

test('a wait times out where nobody can tell who holds the lock', async (t) => {
  const { path, directory } = await scratch(t);
  const [a] = await locks(t, path);
  await using other = await directory.openFile('x.lock', 'r+');
  await other.lock();
  const stub = t.mock.method(native, 'findLockSync', () => {
    throw new Error('never told');
  });
  await assert.rejects(a.lock({ timeout: 1 }), /not free within 1 ms(?!:)/);
  stub.mock.restore();
});

/** The next handle that is closed tells of a failure. */
function failNextClose(t: TestContext): void {
  const { close } = native;
  const stub = t.mock.method(native, 'close', async (...args: Parameters<typeof close>) => {
    stub.mock.restore();
    await close.apply(native, args);
    throw new Error('not closed well');
  });
}

test('a second look at a lock file that does not close well leaves nothing open', async (t) => {
  const path = temporaryDirectory(t);
  const before = openDescriptors();
  const a = await FileLock.open(path, 'x.lock');
  failNextClose(t);
  await assert.rejects(FileLock.open(path, 'x.lock'), /not closed well/);
  await a.close();
  assert.deepEqual(openDescriptors(), before);
});

test('a lock file that leaves the pool and does not close well harms nobody', async (t) => {
  await using manager = await LockManager.open(temporaryDirectory(t), { pool: 1 });
  await (await manager.acquire('a')).release();
  failNextClose(t);
  await (await manager.acquire('b')).release();
  await sleep(5);
});

test('a manager that cannot give back a lock closes all the rest, and tells so at the end', async (t) => {
  const path = temporaryDirectory(t);
  const before = openDescriptors();
  const manager = await LockManager.open(path);
  for (const id of ['a', 'b']) await manager.acquire(id);
  await (await manager.acquire('c')).release();
  const stub = refuse(t, 'none');
  await assert.rejects(manager.close(), /never none/);
  stub.restore();
  assert.deepEqual(openDescriptors(), before);
});

test('of several locks that come to nothing one learns why, also where one of them cannot be given back', async (t) => {
  const path = temporaryDirectory(t);
  await using manager = await LockManager.open(path);
  await using held = await manager.acquire('b');
  const stub = refuse(t, 'none');
  await assert.rejects(manager.acquireAll(['a', 'b'], { timeout: 5 }), LockTimeoutError);
  stub.restore();
  assert.ok(held.valid);
});
