// FileLock: kinds and changes of kind, waits and their ends, what is no lock file.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { linkSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AlreadyLockedError, FileLock, LockError, LockTimeoutError } from 'dirfd/lock';
import { scratch } from '../dirfd/scratch.js';
import { run } from '../fixtures/command.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { child } from './child.js';

async function locks(t: TestContext, path: string, number: number): Promise<FileLock[]> {
  return Promise.all(
    Array.from({ length: number }, async () => {
      const lock = await FileLock.open(path, 'x.lock');
      t.after(() => lock.close());
      return lock;
    }),
  );
}

/** Threads of this process. */
const threads = () => readdirSync('/proc/self/task').length;

test('shared locks go together, an exclusive one alone', async (t) => {
  const path = temporaryDirectory(t);
  const [a, b, c] = (await locks(t, path, 3)) as [FileLock, FileLock, FileLock];
  assert.equal(await a.tryLock({ shared: true }), true);
  assert.equal(await b.tryLock({ shared: true }), true);
  assert.equal(await c.tryLock(), false);
  assert.deepEqual([a.held, b.held, c.held], ['shared', 'shared', undefined]);
  await a.unlock();
  await b.unlock();
  assert.equal(await c.tryLock(), true);
  assert.equal(await a.tryLock({ shared: true }), false);
});

test('the lock is one that other programs see, and theirs is one that it sees', async (t) => {
  const path = temporaryDirectory(t);
  const script = (kind: string) => `
import fcntl, struct, sys
f = open(sys.argv[1], 'r+')
try:
    fcntl.fcntl(f, 37, struct.pack('hhqqi4x', fcntl.${kind}, 0, 0, 0, 0))
    print('free')
except BlockingIOError:
    print('held')`;
  const others = (kind: string) => run('python3', ['-c', script(kind), join(path, 'x.lock')]).trim();
  const [lock] = (await locks(t, path, 1)) as [FileLock];
  assert.equal(others('F_WRLCK'), 'free');
  await lock.lock({ shared: true });
  assert.deepEqual([others('F_RDLCK'), others('F_WRLCK')], ['free', 'held']);
  await lock.lock();
  assert.equal(others('F_RDLCK'), 'held');
});

test('an upgrade keeps the shared lock while it waits, and when it fails', async (t) => {
  const path = temporaryDirectory(t);
  const [a] = (await locks(t, path, 1)) as [FileLock];
  await a.lock({ shared: true });
  const other = child(
    t,
    path,
    `const lock = await FileLock.open(directory, 'x.lock');
     await lock.lock({ shared: true });
     say('shares');
     process.stdin.once('data', async () => {
       await lock.unlock();
       say(await lock.tryLock() ? 'lost' : 'kept');
       await lock.close();
     });`,
  );
  await other.says('shares');
  await assert.rejects(a.lock({ timeout: 30 }), LockTimeoutError);
  assert.equal(a.held, 'shared');
  const upgrade = a.lock();
  other.process.stdin?.end('go');
  await upgrade;
  await other.says('kept');
  assert.equal(a.held, 'exclusive');
  await a.lock({ shared: true });
  assert.equal(a.held, 'shared');
});

test('a shared lock that was given up is not in the way of an upgrade elsewhere, whoever waits here', async (t) => {
  const { path, directory } = await scratch(t);
  const [a, b] = (await locks(t, path, 2)) as [FileLock, FileLock];
  await using other = await directory.openFile('x.lock', 'r+');
  await other.lock({ shared: true });
  await a.lock({ shared: true });
  const exclusive = b.lock();
  await a.unlock();
  await other.lock({ timeout: 5000 });
  await other.unlock();
  await exclusive;
});

test('what the kernel grants while the shared lock is given up is one lock, not two', async (t) => {
  const { path, directory } = await scratch(t);
  const [a, b] = (await locks(t, path, 2)) as [FileLock, FileLock];
  await using other = await directory.openFile('x.lock', 'r+');
  await other.lock({ shared: true });
  await a.lock({ shared: true });
  // Longer than the turn after which a lock is given up for a moment.
  await sleep(30);
  const upgrade = assert.rejects(a.lock({ timeout: 50 }), LockTimeoutError).then(() => a.unlock());
  const exclusive = b.lock();
  await sleep(10);
  // Behind it the event loop comes to its timers first: the wait is granted, and before this thread hears of it, the upgrade's time is over.
  await new Promise((resolve) => setImmediate(resolve));
  const unlocked = other.unlock();
  const end = performance.now() + 100;
  while (performance.now() < end);
  await Promise.all([unlocked, upgrade, exclusive]);
  assert.equal(b.held, 'exclusive');
  assert.equal(await other.tryLock({ shared: true }), false);
});

test('what is held already, and what is not held, is told', async (t) => {
  const path = temporaryDirectory(t);
  const [a] = (await locks(t, path, 1)) as [FileLock];
  await assert.rejects(a.unlock(), LockError);
  await a.lock();
  await assert.rejects(a.lock(), AlreadyLockedError);
  await assert.rejects(a.tryLock(), AlreadyLockedError);
  for (const bad of [{ timeout: -1 }, { timeout: Number.NaN }, { priority: Number.NaN }]) {
    await assert.rejects(a.lock({ shared: true, ...bad }), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
  }
  await a.close();
  await assert.rejects(a.tryLock(), { code: 'ERR_DIRFD_CLOSED' });
});

test('a wait that is aborted, timed out or closed leaves neither thread nor descriptor, nor a lock', async (t) => {
  const { path, directory } = await scratch(t);
  await directory.writeFile('x.lock', '');
  await using holder = await directory.openFile('x.lock', 'r+');
  const [first] = (await locks(t, path, 1)) as [FileLock];
  await holder.lock();
  await assert.rejects(first.lock({ timeout: 5 }), { code: 'ERR_DIRFD_LOCK_TIMEOUT' });
  // One thread may stay for the next wait, and the watch.
  const before = threads();
  for (let i = 0; i < 20; i++) {
    const [a] = (await locks(t, path, 1)) as [FileLock];
    const abort = new AbortController();
    const waits = [
      assert.rejects(a.lock({ signal: abort.signal }), { message: 'enough' }),
      assert.rejects(first.lock({ timeout: 10, shared: true }), LockTimeoutError),
    ];
    await sleep(1);
    abort.abort(new Error('enough'));
    await Promise.all(waits);
    const waiting = assert.rejects(a.lock(), { code: 'ERR_DIRFD_CLOSED' });
    await a.close();
    await waiting;
  }
  assert.ok(threads() <= before + 1, `${threads()} threads after, ${before} before`);
  await holder.unlock();
  await using probe = await directory.openFile('x.lock', 'r+');
  assert.equal(await probe.tryLock(), true, 'nothing was left locked');
});

test('a hundred locks held elsewhere are waited for by a bounded number of threads, and none is missed', async (t) => {
  const { path, directory } = await scratch(t);
  const names = Array.from({ length: 100 }, (_, i) => `${i}.lock`);
  const holders = await Promise.all(
    names.map(async (name) => {
      const file = await directory.openFile(name, 'wx+');
      await file.lock();
      return file;
    }),
  );
  const before = threads();
  let most = 0;
  const waits = names.map(async (name) => {
    await using lock = await FileLock.open(path, name);
    await lock.lock();
  });
  await sleep(100);
  most = threads();
  assert.ok(most <= before + 66, `${most} threads, ${before} before`);
  // The last one first: it waits behind all the threads.
  for (const holder of holders.reverse()) await holder.close();
  await Promise.all(waits);
});

test('symlinks, FIFOs, directories and hard links are no lock files, and nothing is written to them', async (t) => {
  const path = temporaryDirectory(t);
  writeFileSync(join(path, 'victim'), 'precious');
  symlinkSync('victim', join(path, 'link.lock'));
  symlinkSync('absent', join(path, 'dangling.lock'));
  run('mkfifo', [join(path, 'fifo.lock')]);
  linkSync(join(path, 'victim'), join(path, 'hard.lock'));
  await assert.rejects(FileLock.open(path, 'link.lock'), { code: 'ELOOP' });
  await assert.rejects(FileLock.open(path, 'dangling.lock'), { code: 'ELOOP' });
  await assert.rejects(FileLock.open(path, 'fifo.lock'), { code: 'ERR_DIRFD_NOT_REGULAR' });
  await assert.rejects(FileLock.open(path, '.'), { code: 'EISDIR' });
  await assert.rejects(FileLock.open(path, '../x.lock'), { code: 'ERR_DIRFD_PATH_ESCAPE' });
  await assert.rejects(FileLock.open(path, 'hard.lock'), LockError);
  await using kept = await FileLock.open(path, 'victim.lock').then(async (lock) => {
    await lock.close();
    writeFileSync(join(path, 'victim.lock'), 'somebody else’s content');
    return FileLock.open(path, 'victim.lock');
  });
  await kept.lock();
  assert.equal(readFileSync(join(path, 'victim.lock'), 'utf8'), 'somebody else’s content');
  assert.equal(readFileSync(join(path, 'victim'), 'utf8'), 'precious');
});

test('a lock file is made for its owner alone, unless told otherwise', async (t) => {
  const path = temporaryDirectory(t);
  await using a = await FileLock.open(path, 'a.lock');
  await using b = await FileLock.open(path, 'b.lock', { mode: 0o640 });
  assert.deepEqual(
    [a, b].map((lock) => statSync(join(path, lock.path)).mode & 0o777),
    [0o600, 0o640 & ~process.umask()],
  );
});

test('a lock file that was replaced while it was waited for is no lock: the new one is taken', async (t) => {
  const path = temporaryDirectory(t);
  const [a] = (await locks(t, path, 1)) as [FileLock];
  await a.lock();
  const [b] = (await locks(t, path, 1)) as [FileLock];
  const waiting = b.lock();
  writeFileSync(join(path, 'new'), '');
  renameSync(join(path, 'new'), join(path, 'x.lock'));
  assert.deepEqual([a.held, a.valid], ['exclusive', false]);
  await a.unlock();
  await waiting;
  assert.ok(b.valid);
  assert.equal(await a.tryLock(), false, 'it is the new file that both ask now');
});

test('the holder is told, and by a timeout, too', async (t) => {
  const path = temporaryDirectory(t);
  const [a, b] = (await locks(t, path, 2)) as [FileLock, FileLock];
  assert.equal(await a.holder(), undefined);
  await a.lock();
  const holder = await b.holder();
  assert.equal(holder?.pid, process.pid);
  assert.equal(holder?.host, hostname());
  assert.equal(holder?.bootId, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  assert.equal(
    holder?.processStart,
    readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19],
  );
  await assert.rejects(b.lock({ timeout: 1 }), (error: LockTimeoutError) => {
    assert.match(error.message, new RegExp(`not free within 1 ms: held by pid ${process.pid} .*in '${path}'`));
    return error instanceof LockTimeoutError && error instanceof LockError;
  });
  await a.unlock();
  await a.lock({ shared: true });
  assert.deepEqual(await b.holder(), { shared: true });
  await a.unlock();
  assert.equal(await b.holder(), undefined, 'what the record says of a lock that is gone is not told');
});

test('a broken lock goes to who asks next, and its holder can find out', async (t) => {
  const path = temporaryDirectory(t);
  const [a, b, c] = (await locks(t, path, 3)) as [FileLock, FileLock, FileLock];
  assert.equal(await a.breakLock(), undefined);
  await a.lock();
  const waiting = c.lock();
  const told: unknown[] = [];
  const audit = { record: async (entry: unknown) => void told.push(entry) };
  assert.equal((await b.breakLock({ reason: 'hangs', audit }))?.pid, process.pid);
  assert.equal(a.valid, false);
  await b.lock();
  assert.ok(b.valid);
  assert.equal((told[0] as { operation: string }).operation, 'lock.break');
  await a.unlock();
  await b.unlock();
  await waiting;
  assert.ok(c.valid);
});
