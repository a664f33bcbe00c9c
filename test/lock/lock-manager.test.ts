// LockManager: leases by id, their order, deadlocks, sets.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AlreadyLockedError,
  DeadlockError,
  FileLock,
  LockError,
  LockManager,
  LockTimeoutError,
  withLockOwner,
} from 'dirfd/lock';
import { unreliableFileSystem } from '#dist/lock/network.js';
import { findCycle } from '#dist/lock/wait-graph.js';
import { openDescriptors } from '../fixtures/descriptors.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

async function manager(t: TestContext, options = {}): Promise<LockManager & { directory: string }> {
  const directory = temporaryDirectory(t);
  const opened = await LockManager.open(directory, options);
  t.after(() => opened.close());
  return Object.assign(opened, { directory });
}

test('a lease is released by itself, by id, by owner, or with all', async (t) => {
  const locks = await manager(t);
  const a = await locks.acquire('a');
  assert.equal(await locks.tryAcquire('a'), undefined);
  await locks.release('a');
  assert.equal(a.released, true);
  await assert.rejects(locks.release('a'), LockError);
  await locks.acquire('b', { shared: true });
  await locks.acquire('b', { shared: true });
  await assert.rejects(locks.release('b'), /several hold it/);
  await locks.acquire('c', { owner: 'me' });
  assert.equal(await locks.releaseAll({ owner: 'me' }), 1);
  assert.equal(await locks.releaseAll(), 2);
  assert.deepEqual(locks.leases(), []);
  {
    await using _lease = await locks.acquire('a');
  }
  await (await locks.acquire('a')).release();
  assert.deepEqual(readdirSync(locks.directory).sort(), ['a.lock', 'b.lock', 'c.lock']);
});

test('ids that are no names are refused', async (t) => {
  const locks = await manager(t);
  for (const id of ['', '.', '..', '.hidden', 'a/b', 'a\0b', 'a\nb', '\ud800', 'x'.repeat(251), 7 as never]) {
    await assert.rejects(locks.acquire(id), { code: 'ERR_DIRFD_INVALID_ARGUMENT' }, JSON.stringify(id));
  }
  await (await locks.acquire('é'.repeat(125))).release();
});

test('who came first goes first, but for priority; shared ones go in together', async (t) => {
  const locks = await manager(t);
  const order: string[] = [];
  const task = async (name: string, options: { priority?: number; shared?: boolean }) => {
    const lease = await locks.acquire('x', options);
    order.push(name);
    await sleep(2);
    order.push(`${name}'`);
    await lease.release();
  };
  const first = await locks.acquire('x');
  const tasks = [
    task('a', {}),
    task('b', { shared: true }),
    task('c', { shared: true }),
    task('d', {}),
    task('urgent', { priority: 9 }),
  ];
  await sleep(50);
  await first.release();
  await Promise.all(tasks);
  assert.equal(order.join(' ').replace("b' c'", "c' b'"), "urgent urgent' a a' b c c' b' d d'");
});

test('an exclusive lock is not passed over by shared ones that come later', async (t) => {
  const locks = await manager(t);
  const reader = await locks.acquire('x', { shared: true });
  const writer = locks.acquire('x');
  await sleep(5);
  assert.equal(await locks.tryAcquire('x', { shared: true }), undefined);
  await reader.release();
  await (await writer).release();
});

test('a cycle is found in the moment it closes, and named', async (t) => {
  const locks = await manager(t);
  const ids = ['a', 'b', 'c'];
  const held = await Promise.all(ids.map((id) => locks.acquire(id, { owner: `task ${id}` })));
  const waits = [locks.acquire('b', { owner: 'task a' }), locks.acquire('c', { owner: 'task b' })];
  await sleep(5);
  const started = performance.now();
  await assert.rejects(locks.acquire('a', { owner: 'task c' }), (error: DeadlockError) => {
    assert.deepEqual(error.cycle, ['task c', 'task a', 'task b']);
    assert.match(error.message, /'task c' waits for 'task a' waits for 'task b' waits for 'task c'/);
    return error instanceof DeadlockError;
  });
  assert.ok(performance.now() - started < 1000);
  assert.equal(locks.statistics.deadlocks, 1);
  await held[2]?.release();
  await (await waits[1])?.release();
  await held[1]?.release();
  await (await waits[0])?.release();
});

test('two upgrades of one lock wait for each other: the second is told', async (t) => {
  const locks = await manager(t);
  const [a, b] = await Promise.all(['a', 'b'].map((owner) => locks.acquire('x', { shared: true, owner })));
  const upgrade = a!.upgrade();
  await sleep(5);
  await assert.rejects(b!.upgrade(), DeadlockError);
  assert.equal(b!.shared, true, 'the shared lock is kept');
  await b!.release();
  await upgrade;
  assert.equal(a!.shared, false);
  await a!.downgrade();
  assert.equal(a!.shared, true);
  await a!.release();
  await assert.rejects(a!.downgrade(), LockError);
});

test('an owner that asks twice is told, with withLockOwner also after await', async (t) => {
  const locks = await manager(t);
  await withLockOwner('worker', async () => {
    await using _first = await locks.acquire('a');
    await sleep(1);
    await assert.rejects(locks.acquire('a'), AlreadyLockedError);
  });
  assert.throws(() => withLockOwner('', () => {}), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
});

test('a chain of waits longer than the stack is searched', () => {
  const wait = { owner: 'first', ahead: () => ['second'] };
  assert.equal(findCycle(wait), undefined);
  assert.deepEqual(findCycle({ owner: 'one', ahead: () => ['one'] }), ['one']);
});

test('several are taken all or none, in one order', async (t) => {
  const locks = await manager(t);
  await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      await using set = await locks.acquireAll(i % 2 ? ['a', 'b', 'c'] : ['c', 'b', 'a', 'a']);
      assert.deepEqual(set.ids, ['a', 'b', 'c']);
      await sleep(1);
    }),
  );
  const b = await locks.acquire('b');
  await assert.rejects(locks.acquireAll(['a', 'b', 'c'], { timeout: 10 }), LockTimeoutError);
  await (await locks.acquire('a', { timeout: 0 })).release();
  await b.release();
});

test('closing releases all, and ends the waits', async (t) => {
  const locks = await manager(t);
  await locks.acquire('a');
  const waits = [assert.rejects(locks.acquire('a'), { code: 'ERR_DIRFD_CLOSED' })];
  waits.push(assert.rejects(locks.acquire('new'), { code: 'ERR_DIRFD_CLOSED' }));
  await locks.close();
  await Promise.all(waits);
  await assert.rejects(locks.acquire('a'), { code: 'ERR_DIRFD_CLOSED' });
});

test('what is granted in the turn of the event loop that closes it is not given out', async (t) => {
  const path = temporaryDirectory(t);
  const manager = await LockManager.open(path);
  const lease = await manager.acquire('a');
  const waiting = assert.rejects(manager.acquire('a'), { code: 'ERR_DIRFD_CLOSED' });
  await using first = await FileLock.open(path, 'x.lock');
  const second = await FileLock.open(path, 'x.lock');
  await first.lock();
  const locking = assert.rejects(second.lock(), { code: 'ERR_DIRFD_CLOSED' });
  await sleep(5);
  await Promise.all([lease.release(), manager.close(), first.unlock(), second.close()]);
  await Promise.all([waiting, locking]);
});

test('files stay open for the next lease, a bounded number of them', async (t) => {
  const locks = await manager(t, { pool: 3 });
  const before = openDescriptors().size;
  for (let round = 0; round < 2; round++) {
    for (const id of 'abcdefgh') await (await locks.acquire(id)).release();
  }
  // The surplus is closed behind the release, which does not wait for it.
  for (let left = 100; left > 0 && openDescriptors().size > before + 3; left--) await sleep(20);
  assert.ok(openDescriptors().size <= before + 3);
  const { acquired, contended, held } = locks.statistics;
  assert.deepEqual([acquired, contended, held > 0], [16, 0, true]);
});

test('file systems of other machines are known by their number', () => {
  assert.equal(unreliableFileSystem(0x6969), 'NFS');
  assert.equal(unreliableFileSystem(0xff534d42 | 0), 'CIFS');
  // GPFS, BeeGFS, OCFS2.
  for (const type of [0x47504653, 0x19830326, 0x7461636f]) assert.ok(unreliableFileSystem(type));
  assert.equal(unreliableFileSystem(0xef53), undefined);
});
