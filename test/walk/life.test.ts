// However a walk ends, it leaves nothing behind: no descriptor, no thread.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { DirectoryFd, type WalkOptions, walk } from 'dirfd';
import { attempt } from '../fixtures/command.js';
import { openDescriptors } from '../fixtures/descriptors.js';
import '../fixtures/fd-baseline.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { quickDirectory } from '../fixtures/temporary.js';
import { plain, project } from '../fixtures/trees.js';
import { pathsOf } from './listing.js';

const threads = (): number => readdirSync('/proc/self/task').length;

/** Runs `use` and asserts that afterwards, at once, the process holds what it held before. */
async function assertReleases(use: () => Promise<unknown>): Promise<void> {
  const descriptors = openDescriptors();
  const before = threads();
  await use();
  assert.deepEqual(openDescriptors(), descriptors);
  assert.ok(threads() <= before, `threads: ${before} before, ${threads()} after`);
}

/** Few bytes may be out, so the walk is still under way when it is ended. */
const slow: WalkOptions = { highWaterMark: 1, batchSize: 1 };
const orders = ['any', 'breadth', 'depth', 'sorted'] as const;

for (const order of orders) {
  test(`break, throw, return, close and dispose release everything, in order ${order}`, async (t) => {
    const root = quickDirectory(t);
    project(root);
    await pathsOf(root); // node starts threads of its own when first asked to
    const options = { ...slow, order, concurrency: 4 };
    await assertReleases(async () => {
      for await (const _ of walk(root, options)) break;
    });
    await assertReleases(async () => {
      await assert.rejects(async () => {
        for await (const _ of walk(root, options)) throw new Error('from the loop');
      }, /from the loop/);
    });
    await assertReleases(async () => {
      const iterator = walk(root, options)[Symbol.asyncIterator]();
      await iterator.next();
      assert.deepEqual(await iterator.return?.(), { value: undefined, done: true });
      assert.deepEqual(await iterator.next(), { value: undefined, done: true });
    });
    await assertReleases(async () => {
      const walking = walk(root, options);
      let seen = 0;
      for await (const _ of walking) if (++seen === 3) await walking.close();
      assert.equal(seen, 3, 'a closed walk ends');
      assert.equal(walking.progress.done, true);
    });
    await assertReleases(async () => {
      await using walking = walk(root, options);
      await walking[Symbol.asyncIterator]().next();
    });
    await assertReleases(async () => {
      for await (const _ of walk(root, options).batches()) break;
    });
  });

  test(`an abort ends a walk with the signal's reason, in order ${order}`, async (t) => {
    const root = quickDirectory(t);
    project(root);
    await assertReleases(async () => {
      const controller = new AbortController();
      let seen = 0;
      await assert.rejects(
        async () => {
          for await (const _ of walk(root, { order, signal: controller.signal })) {
            if (++seen === 5) controller.abort(new Error('enough'));
          }
        },
        { message: 'enough' },
      );
      assert.equal(seen, 5, 'nothing comes after the abort');
    });
  });
}

test('an abort wakes a consumer that waits', async (t) => {
  const root = quickDirectory(t);
  plain(root);
  const controller = new AbortController();
  const iterator = walk(root, { signal: controller.signal, filter: () => 'skip' })[Symbol.asyncIterator]();
  const next = iterator.next();
  controller.abort(new Error('now'));
  await assert.rejects(next, { message: 'now' });
});

test('a signal that is aborted already starts nothing', async (t) => {
  const root = quickDirectory(t);
  await assert.rejects(pathsOf(root, { signal: AbortSignal.abort(new Error('before')) }), { message: 'before' });
});

test('closing while the root is being opened leaves nothing open', async (t) => {
  const root = quickDirectory(t);
  plain(root);
  await assertReleases(async () => {
    const walking = walk(root);
    const next = walking[Symbol.asyncIterator]().next();
    await walking.close();
    assert.equal((await next).done, true);
  });
});

test('a walk that was never begun holds nothing', async (t) => {
  const root = quickDirectory(t);
  const walking = walk(root);
  assert.deepEqual(walking.progress, { delivered: 0, found: 0, directories: 0, done: false });
  await walking.close();
  assert.equal((await walking[Symbol.asyncIterator]().next()).done, true);
});

test('a walk is iterated once', async (t) => {
  const walking = walk(quickDirectory(t));
  for await (const _ of walking);
  assert.throws(() => walking[Symbol.asyncIterator](), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
  assert.throws(() => walking.batches(), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
});

test('a root that is closed is refused; one that is closed on the way is walked to the end', async (t) => {
  const root = quickDirectory(t);
  project(root);
  const directory = await DirectoryFd.open(root);
  let seen = 0;
  for await (const _ of walk(directory, slow)) if (++seen === 2) await directory.close();
  assert.equal(seen, (await pathsOf(root)).length);
  await assert.rejects(pathsOf(directory), { code: 'ERR_DIRFD_CLOSED' });
});

test('a root that does not exist, or is a file, is told by the first step', async (t) => {
  const root = quickDirectory(t);
  plain(root);
  await assert.rejects(pathsOf(join(root, 'nothing')), { name: 'FsError', code: 'ENOENT' });
  await assert.rejects(pathsOf(join(root, 'readme.md')), { name: 'FsError', code: 'ENOTDIR' });
});

test('a walk that was forgotten half-way is collected, and its threads with it', async (t) => {
  const root = quickDirectory(t);
  project(root);
  const script = `
    import { readdirSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { DirectoryFd, walk } from 'dirfd';
    const root = await DirectoryFd.open(process.argv[1]);
    for await (const _ of walk(root)) break;
    const count = () => readdirSync('/proc/self/task').length;
    const before = count();
    async function forget() { await walk(root, { highWaterMark: 1, batchSize: 1 })[Symbol.asyncIterator]().next(); }
    await forget();
    if (count() <= before) throw new Error('nothing is under way');
    for (let i = 0; i < 100 && count() > before; i++) { gc(); await sleep(20); }
    console.log(count() <= before ? 'collected' : 'still there');
  `;
  const { stdout, stderr } = attempt(process.execPath, ['--expose-gc', '--input-type=module', '-e', script, root], {
    cwd: repositoryRoot,
  });
  assert.equal(stdout, 'collected\n', stderr);
});

test('a process may end while a walk is under way, and does not wait for one that nobody consumes', async (t) => {
  const root = quickDirectory(t);
  project(root);
  const script = (end: string) => `
    import { walk } from 'dirfd';
    const iterator = walk(process.argv[1], { highWaterMark: 1, batchSize: 1 })[Symbol.asyncIterator]();
    await iterator.next();
    ${end}
    globalThis.kept = iterator;
  `;
  for (const end of ['process.exit(0);', '']) {
    const { status, stderr } = attempt(process.execPath, ['--input-type=module', '-e', script(end), root], {
      cwd: repositoryRoot,
      timeout: 20_000,
    });
    assert.equal(status, 0, stderr);
  }
});

test('a pending step keeps the process alive until it is answered', async (t) => {
  const root = quickDirectory(t);
  plain(root);
  const script = `
    import { walk } from 'dirfd';
    let seen = 0;
    for await (const _ of walk(process.argv[1])) seen++;
    console.log(seen);
  `;
  const { stdout } = attempt(process.execPath, ['--input-type=module', '-e', script, root], { cwd: repositoryRoot });
  assert.equal(stdout, '14\n');
});

test('workers that are terminated in the middle of walks leave nothing', async (t) => {
  const root = quickDirectory(t);
  project(root);
  const descriptors = openDescriptors();
  const script = `
    const { workerData, parentPort } = require('node:worker_threads');
    import('dirfd').then(async ({ walk }) => {
      parentPort.postMessage('busy');
      const round = async (options) => { for (;;) for await (const _ of walk(workerData, options)); };
      round({ concurrency: 4 });
      round({ order: 'sorted', highWaterMark: 1, batchSize: 1 });
      round({ exclude: 'nothing', batchSize: 3 });
      await round({ order: 'depth', filter: () => 'include' });
    });
  `;
  for (let round = 0; round < 60; round++) {
    const worker = new Worker(script, { eval: true, workerData: root });
    await new Promise((resolve) => worker.once('message', resolve));
    await sleep(Math.random() * 30);
    await worker.terminate();
  }
  const left = [...openDescriptors()].filter(([fd, target]) => descriptors.get(fd) !== target);
  assert.deepEqual(left, []);
});

test('many walks at once find everything', async (t) => {
  const root = quickDirectory(t);
  project(root);
  const expected = (await pathsOf(root)).length;
  const walks = Array.from({ length: 16 }, (_, index) =>
    pathsOf(root, { order: orders[index % 4]!, concurrency: 3, ...(index % 3 === 0 ? slow : {}) }),
  );
  for (const found of await Promise.all(walks)) assert.equal(found.length, expected);
});
