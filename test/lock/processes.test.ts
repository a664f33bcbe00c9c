// Locks between processes and threads: nothing lost, nobody stalled, the dead succeeded at once. DIRFD_TEST_LOCKS=full runs all that is
// promised (8 processes × 2,000 increments, 200 killed holders), a sample otherwise.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { FileLock, LockManager } from 'dirfd/lock';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { child } from './child.js';

const isFull = process.env.DIRFD_TEST_LOCKS === 'full';

const increments = (times: number) => `
  import { readFileSync, writeFileSync } from 'node:fs';
  const locks = await LockManager.open(directory);
  // Two tasks in each process: the queue inside it, and the kernel's.
  await Promise.all([1, 2].map(async () => {
    for (let i = 0; i < ${times / 2}; i++) {
      const lease = await locks.acquire('counter');
      const count = Number(readFileSync(directory + '/counter', 'utf8'));
      if (i % 8 === 0) await sleep(0);
      writeFileSync(directory + '/counter', String(count + 1));
      await lease.release();
    }
  }));
  await locks.close();`;

test('increments of several processes under one lock are all there', async (t) => {
  const [processes, times] = isFull ? [8, 2000] : [4, 100];
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'counter'), '0');
  const children = Array.from({ length: processes }, () => child(t, directory, increments(times)));
  for (const each of children) assert.equal(await each.ended, 0);
  assert.equal(readFileSync(join(directory, 'counter'), 'utf8'), String(processes * times));
});

test('worker threads of one process exclude each other', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'counter'), '0');
  const entry = JSON.stringify(new URL('dist/lock/main.js', `file://${repositoryRoot}/`).href);
  const script = `
    import { LockManager } from ${entry};
    const directory = ${JSON.stringify(directory)};
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    ${increments(100)}`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
  await Promise.all(
    [1, 2].map(
      () =>
        new Promise<void>((resolve, reject) => {
          new Worker(url).once('error', reject).once('exit', () => resolve());
        }),
    ),
  );
  assert.equal(readFileSync(join(directory, 'counter'), 'utf8'), '200');
});

test('a worker that is terminated while it waits, or holds, leaves the lock to others', async (t) => {
  const directory = temporaryDirectory(t);
  const entry = JSON.stringify(new URL('dist/lock/main.js', `file://${repositoryRoot}/`).href);
  const script = `
    import { FileLock } from ${entry};
    import { parentPort } from 'node:worker_threads';
    const held = await FileLock.open(${JSON.stringify(directory)}, 'held.lock');
    await held.lock();
    const wanted = await FileLock.open(${JSON.stringify(directory)}, 'x.lock');
    parentPort.postMessage('holds');
    await wanted.lock();`;
  await using mine = await FileLock.open(directory, 'x.lock');
  await mine.lock();
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`));
  await new Promise((resolve) => worker.once('message', resolve));
  await using held = await FileLock.open(directory, 'held.lock');
  assert.equal(await held.tryLock(), false);
  await sleep(20);
  await worker.terminate();
  await held.lock({ timeout: 5000 });
  await mine.unlock();
  assert.equal(await mine.tryLock(), true, 'the terminated waiter did not take it');
});

test('a holder whose event loop stands still for seconds still holds', async (t) => {
  const directory = temporaryDirectory(t);
  const holder = child(
    t,
    directory,
    `const lock = await FileLock.open(directory, 'x.lock');
     await lock.lock();
     say('stalls');
     Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${isFull ? 4000 : 1500});
     say(String(lock.valid));
     await lock.close();`,
  );
  await holder.says('stalls');
  await using mine = await FileLock.open(directory, 'x.lock');
  const started = performance.now();
  await mine.lock();
  assert.ok(performance.now() - started > (isFull ? 3500 : 1000));
  await holder.says('true');
});

test('three processes in a cycle end in timeouts', async (t) => {
  const directory = temporaryDirectory(t);
  const children = ['a', 'b', 'c'].map((own, i) =>
    child(
      t,
      directory,
      `const locks = await LockManager.open(directory);
       await locks.acquire('${own}');
       say('holds');
       process.stdin.once('data', async () => {
         await locks.acquire('${'bca'[i]}', { timeout: 300 + ${i} * 2000 }).then(() => say('had'), (error) => say(error.name));
         await locks.close();
         process.exit();
       });`,
    ),
  );
  for (const each of children) await each.says('holds');
  for (const each of children) each.process.stdin?.write('go\n');
  // The first gives up; whom it stood in the way of, goes on, and so on round.
  await children[0]!.says('LockTimeoutError');
  await children[2]!.says('had');
  await children[1]!.says('had');
});

test('a killed holder is succeeded at once', async (t) => {
  const directory = temporaryDirectory(t);
  await using mine = await FileLock.open(directory, 'x.lock');
  const waits: number[] = [];
  for (let i = 0; i < (isFull ? 200 : 5); i++) {
    const holder = child(
      t,
      directory,
      `const lock = await FileLock.open(directory, 'x.lock');
       await lock.lock();
       say('holds');
       setInterval(() => {}, 1000);`,
    );
    await holder.says('holds');
    const had = mine.lock({ timeout: 20_000 });
    await sleep(5);
    const started = performance.now();
    holder.process.kill('SIGKILL');
    await had;
    waits.push(performance.now() - started);
    await mine.unlock();
    await holder.ended;
  }
  t.diagnostic(`longest wait ${Math.max(...waits).toFixed(1)} ms`);
  // The death of a node process takes milliseconds itself, on a busy machine more.
  assert.ok(Math.max(...waits) < 5000, `${Math.max(...waits)} ms`);
});

test('while sixteen locks are waited for, fs answers', async (t) => {
  const directory = temporaryDirectory(t);
  const ids = Array.from({ length: 16 }, (_, i) => `id${i}`);
  const holder = child(
    t,
    directory,
    `const locks = await LockManager.open(directory);
     await locks.acquireAll(${JSON.stringify(ids)});
     say('holds');
     process.stdin.once('data', () => process.exit());`,
  );
  await holder.says('holds');
  await using locks = await LockManager.open(directory);
  let waiting = ids.length;
  const waits = ids.map(async (id) => {
    const lease = await locks.acquire(id);
    waiting--;
    await lease.release();
  });
  await sleep(50);
  for (let i = 0; i < 50; i++) await readFile(join(repositoryRoot, 'package.json'));
  assert.equal(waiting, 16, 'fs answered while all of them waited');
  holder.process.stdin?.end('go');
  await Promise.all(waits);
});

test('a process with a steady stream of its own lets others in', async (t) => {
  const directory = temporaryDirectory(t);
  const busy = child(
    t,
    directory,
    `const locks = await LockManager.open(directory);
     let going = true;
     process.stdin.once('data', () => { going = false; });
     await Promise.all([1, 2, 3, 4].map(async () => {
       for (let i = 0; going; i++) {
         const lease = await locks.acquire('x');
         if (i === 0) say('runs');
         if (i % 4 === 0) await sleep(1);
         await lease.release();
       }
     }));
     process.exit();`,
  );
  await busy.says('runs');
  await using locks = await LockManager.open(directory);
  for (let i = 0; i < 5; i++) await (await locks.acquire('x', { timeout: 20_000 })).release();
  busy.process.stdin?.write('stop\n');
  assert.equal(await busy.ended, 0);
});

test('readers that overlap without end keep out a writer of another process, and not with the gate of the guide', async (t) => {
  const directory = temporaryDirectory(t);
  const guide = readFileSync(join(repositoryRoot, 'docs/lock.md'), 'utf8');
  const [, gate = ''] = /^```js\n(async function enter.*?)^```$/ms.exec(guide) ?? [];
  type Enter = (locks: LockManager, id: string, shared: boolean) => ReturnType<LockManager['acquire']>;
  const enter: Enter = new Function(`${gate} return enter;`)();
  const ungated: Enter = (locks, id, shared) => locks.acquire(id, { shared });
  const locks = await LockManager.open(directory);
  t.after(() => locks.close());
  const write = (how: string) => `
    ${gate}
    const locks = await LockManager.open(directory);
    say(await ${how}.then(() => 'written', (error) => error.name));
    await locks.close();`;
  for (const [way, how, told] of [
    [ungated, `locks.acquire('x', { timeout: 300 })`, 'LockTimeoutError'],
    [enter, `enter(locks, 'x', false)`, 'written'],
  ] as const) {
    let isOver = false;
    const readers = [0, 10].map(async (start) => {
      await sleep(start);
      while (!isOver) {
        const lease = await way(locks, 'x', true);
        await sleep(20);
        await lease.release();
      }
    });
    await sleep(50);
    const writer = child(t, directory, write(how));
    await writer.says(told);
    isOver = true;
    await Promise.all([...readers, writer.ended]);
  }
});
