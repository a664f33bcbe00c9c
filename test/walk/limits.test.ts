// Few descriptors, deep trees, wide directories, slow consumers: slower perhaps, never wrong, never unbounded.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WalkOptions, walk } from 'dirfd';
import { run } from '../fixtures/command.js';
import { withOpenFiles } from '../fixtures/limits.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { quickDirectory } from '../fixtures/temporary.js';
import { deep, depthBeyondPathMax, project, wide } from '../fixtures/trees.js';
import { pathsOf } from './listing.js';

const orders = ['any', 'breadth', 'depth', 'sorted'] as const;

const counting = `
  import { walk } from 'dirfd';
  const [, root, options] = process.argv;
  let entries = 0, deepest = 0;
  const walking = walk(root, JSON.parse(options));
  for await (const entry of walking) { entries++; deepest = Math.max(deepest, entry.depth); }
  console.log(JSON.stringify({ entries, deepest, reopened: walking.statistics.reopened }));
`;

interface Counted {
  readonly entries: number;
  readonly deepest: number;
  readonly reopened: number;
}

function countedWithOpenFiles(limit: number, root: string, options: WalkOptions): Counted {
  const command = [process.execPath, '--input-type=module', '-e', counting, root, JSON.stringify(options)];
  const { stdout, stderr } = withOpenFiles(limit, command, { cwd: repositoryRoot });
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as Counted;
}

test('forty descriptors are enough, for every order and many threads', async (t) => {
  const root = quickDirectory(t);
  project(root);
  const expected = (await pathsOf(root)).length;
  for (const order of orders) {
    for (const options of [{ order }, { order, concurrency: 16, maxOpenDirectories: 500 }]) {
      assert.equal(countedWithOpenFiles(40, root, options).entries, expected, JSON.stringify(options));
    }
  }
});

// Threads that find none left at the same moment once all left their directories to each other, and the walk ended early without a word.
test('threads that run out of descriptors together leave nothing out', (t) => {
  const root = quickDirectory(t);
  for (let at = 0; at < 100; at++) mkdirSync(join(root, `${at}/leaf`), { recursive: true });
  const often = `
    import { closeSync, openSync } from 'node:fs';
    import { walk } from 'dirfd';
    let short = 0;
    for (let at = 0; at < 1000; at++) {
      const taken = [];
      try { for (;;) taken.push(openSync('/dev/null')); } catch {}
      for (const fd of taken.splice(-2)) closeSync(fd);
      let entries = 0, errors = 0;
      for await (const _ of walk(process.argv[1], { concurrency: 32, onError: () => { errors++; } })) entries++;
      if (entries < 200 && errors === 0) short++;
      for (const fd of taken) closeSync(fd);
    }
    console.log(short);
  `;
  const ran = withOpenFiles(200, [process.execPath, '--input-type=module', '-e', often, root], { cwd: repositoryRoot });
  assert.equal(ran.stdout, '0\n', ran.stderr);
});

test('a chain whose path no system call takes is walked to its end', async (t) => {
  const root = quickDirectory(t);
  deep(root);
  for (const order of orders) {
    for (const maxOpenDirectories of [3, 64]) {
      const paths = await pathsOf(root, { order, maxOpenDirectories });
      assert.equal(paths.length, depthBeyondPathMax + 1);
      assert.equal(Math.max(...paths.map((path) => path.split('/').length)), depthBeyondPathMax + 1);
    }
  }
});

test('a chain of ten thousand directories is walked with forty descriptors', (t) => {
  const root = quickDirectory(t);
  deep(root, 10_000, 6);
  for (const order of ['any', 'depth'] as const) {
    const { entries, deepest } = countedWithOpenFiles(40, root, { order });
    assert.deepEqual([entries, deepest], [10_001, 10_001], order);
  }
});

test('a directory whose children no longer find it open is reached again', async (t) => {
  const root = quickDirectory(t);
  project(root);
  for (const order of orders) {
    const walking = walk(root, { order, maxOpenDirectories: 3 });
    let seen = 0;
    for await (const _ of walking) seen++;
    assert.equal(seen, (await pathsOf(root)).length);
    assert.ok(walking.statistics.reopened > 0, order);
  }
});

test('the directories open at a time stay within what was allowed', async (t) => {
  const root = quickDirectory(t);
  project(root, 50);
  const before = readdirSync('/proc/self/fd').length;
  for (const order of orders) {
    for (const maxOpenDirectories of [3, 8, 20]) {
      let most = 0;
      for await (const _ of walk(root, { order, maxOpenDirectories, concurrency: 4, batchSize: 1, highWaterMark: 1 })) {
        most = Math.max(most, readdirSync('/proc/self/fd').length - before);
      }
      // One more is the root's own handle.
      assert.ok(most <= maxOpenDirectories + 1, `${order}: ${most} open, ${maxOpenDirectories} allowed`);
    }
  }
});

test('a wide directory is shared out among threads, and each entry comes once', async (t) => {
  const root = quickDirectory(t);
  wide(root, 20_000);
  const walking = walk(root, { concurrency: 4 });
  const seen = new Set<string>();
  let entries = 0;
  for await (const { name } of walking) {
    seen.add(name);
    entries++;
  }
  assert.deepEqual([entries, seen.size], [20_000, 20_000]);
  assert.ok(walking.statistics.threads > 1);
  assert.equal(walking.statistics.directories, 1);
});

test('the first entries come as soon as the first directory has been read', async (t) => {
  const root = quickDirectory(t);
  mkdirSync(join(root, 'below'));
  project(join(root, 'below'));
  for (const order of orders) {
    for await (const batch of walk(root, { order, concurrency: 1 }).batches()) {
      assert.deepEqual([batch.length, batch.at(0)?.path], [1, 'below'], order);
      break;
    }
  }
});

test('a consumer that stops reading stops the walk', async (t) => {
  const root = quickDirectory(t);
  wide(root, 20_000);
  for (const order of orders) {
    const walking = walk(root, { order, highWaterMark: 100_000 });
    for await (const _ of walking) {
      await sleep(50);
      const { found } = walking.progress;
      await sleep(50);
      assert.equal(walking.progress.found, found, 'it stands still');
      // 160 bytes an entry: what may wait, and a batch in each thread's hands.
      assert.ok(found < 6000, `${order}: ${found} entries were made for one that was read`);
      break;
    }
  }
});

test('memory stays flat over a directory of many files, however slow the consumer', (t) => {
  const root = quickDirectory(t);
  run('sh', ['-c', 'seq -f "$1/%08.0f" 1 40000 | xargs touch', 'sh', root]);
  const script = `
    import { walk } from 'dirfd';
    const [, root, order] = process.argv;
    gc();
    const base = process.memoryUsage().rss;
    let most = 0, entries = 0;
    for await (const entry of walk(root, { order })) {
      if (++entries % 2000 === 0) { most = Math.max(most, process.memoryUsage().rss); await new Promise((r) => setTimeout(r, 1)); }
    }
    console.log(JSON.stringify({ entries, grown: Math.round((most - base) / 2 ** 20) }));
  `;
  for (const order of ['any', 'depth']) {
    const ran = run(process.execPath, ['--expose-gc', '--input-type=module', '-e', script, root, order], {
      cwd: repositoryRoot,
    });
    const { entries, grown } = JSON.parse(ran) as { entries: number; grown: number };
    assert.equal(entries, 40_000);
    assert.ok(grown < 60, `${order}: grew by ${grown} MiB`);
  }
});
