// Every walk tells what find(1) tells, of every tree, in every order.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { walk } from 'dirfd';
import * as fc from 'fast-check';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { createTree, metadata, names, plain, plainEntries, project, treeArbitrary, wide } from '../fixtures/trees.js';
import { findListing, pathsOf, using, walkListing } from './listing.js';

const orders = ['any', 'breadth', 'depth', 'sorted'] as const;
const trees: Record<string, (directory: string) => unknown> = { plain, metadata, names, project, wide };

async function assertTold(root: string): Promise<void> {
  const told = findListing(root);
  for (const order of orders) assert.deepEqual(await walkListing(root, { order }), told, `in order ${order}`);
}

for (const [name, fill] of Object.entries(trees)) {
  test(`the ${name} tree is walked as find sees it, in every order`, async (t) => {
    const root = temporaryDirectory(t);
    fill(root);
    await assertTold(root);
  });
}

test('trees drawn at random are walked as find sees them, in every order', async (t) => {
  const base = temporaryDirectory(t);
  let trees = 0;
  await fc.assert(
    fc.asyncProperty(treeArbitrary, async (tree) => {
      const root = join(base, String(trees++));
      mkdirSync(root);
      createTree(root, tree);
      await assertTold(root);
    }),
    { numRuns: 60 },
  );
  t.diagnostic(`${trees} trees`);
});

test('every number of threads finds the same entries', async (t) => {
  const root = temporaryDirectory(t);
  project(root);
  const expected = findListing(root);
  for (const concurrency of ['auto', 1, 2, 3, 8, 32] as const) {
    assert.deepEqual(await walkListing(root, { concurrency }), expected, `concurrency ${concurrency}`);
  }
});

test('a DirectoryFd is walked and left open', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  await using(root, async (directory) => {
    assert.deepEqual((await pathsOf(directory)).sort(), plainEntries);
    assert.equal(directory.closed, false);
    assert.deepEqual((await pathsOf(directory)).sort(), plainEntries);
  });
});

test('an empty directory has no entries', async (t) => {
  assert.deepEqual(await pathsOf(temporaryDirectory(t)), []);
});

test('batches hold the same entries as the iteration', async (t) => {
  const root = temporaryDirectory(t);
  project(root);
  const paths: string[] = [];
  let batches = 0;
  for await (const batch of walk(root).batches()) {
    batches++;
    assert.equal([...batch].length, batch.length);
    assert.equal(batch.at(-1)?.path, [...batch].at(-1)?.path);
    for (const entry of batch) paths.push(entry.path);
  }
  assert.deepEqual(paths.sort(), (await pathsOf(root)).sort());
  assert.ok(batches > 1);
});

test('a web stream can be made of a walk', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  const paths: string[] = [];
  for await (const entry of ReadableStream.from(walk(root))) paths.push(entry.path);
  assert.deepEqual(paths.sort(), plainEntries);
});

test('a web stream that is cancelled ends its walk', async (t) => {
  const root = temporaryDirectory(t);
  project(root);
  const walking = walk(root, { highWaterMark: 1 });
  const reader = ReadableStream.from(walking).getReader();
  assert.ok((await reader.read()).value?.path);
  assert.equal(walking.progress.done, false);
  await reader.cancel();
  assert.equal(walking.progress.done, true);
  assert.ok(walking.statistics.entries < (await pathsOf(root)).length, 'it was not at its end');
});

test('calls of next that overlap are answered in their order', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  const iterator = walk(root, { order: 'sorted' })[Symbol.asyncIterator]();
  const results = await Promise.all(Array.from({ length: plainEntries.length + 3 }, () => iterator.next()));
  assert.deepEqual(
    results.map(({ value }) => value?.path),
    [...[...plainEntries].sort(), undefined, undefined, undefined],
  );
});
