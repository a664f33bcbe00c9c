// The orders: what comes before what, and that it is always the same set.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { walk } from 'dirfd';
import { quickDirectory } from '../fixtures/temporary.js';
import { plain, plainEntries, project } from '../fixtures/trees.js';
import { pathsOf } from './listing.js';

test('breadth reports one depth after the other', async (t) => {
  const root = quickDirectory(t);
  project(root);
  const depths: number[] = [];
  for await (const entry of walk(root, { order: 'breadth' })) depths.push(entry.depth);
  assert.deepEqual(
    depths,
    depths.toSorted((a, b) => a - b),
  );
  assert.ok(depths.at(-1)! > 3);
});

test('depth reports a directory, then everything below it, then what follows', async (t) => {
  const root = quickDirectory(t);
  project(root);
  const open: string[] = [];
  const closed = new Set<string>();
  for await (const entry of walk(root, { order: 'depth' })) {
    // What lies deeper than this entry's own directory has been left for good.
    for (const directory of open.splice(entry.depth - 1)) closed.add(directory);
    const parent = entry.path.slice(0, Math.max(entry.path.lastIndexOf('/'), 0));
    assert.equal(parent, open.at(-1) ?? '', `${entry.path} comes right below its directory`);
    assert.ok(!closed.has(parent), `${parent} is not come back to`);
    if (entry.isDirectory()) open.push(entry.path);
  }
});

test('sorted is the order of the bytes of whole paths', async (t) => {
  const root = quickDirectory(t);
  plain(root);
  for (const name of ['a-b', 'a-b/c', 'a-b-c', 'a.d', 'a.d/x', 'a0', 'é', 'Z', 'aa']) mkdirSync(join(root, name));
  for (const name of ['a!', 'a/b!', 'a.txt', 'a-b/c/f', 'a-b.txt']) writeFileSync(join(root, name), '');
  writeFileSync(Buffer.concat([Buffer.from(`${root}/a`), Buffer.from([0xff])]), '');
  const paths: Buffer[] = [];
  for await (const entry of walk(root, { order: 'sorted', encoding: 'buffer' })) paths.push(entry.path);
  assert.deepEqual(paths, paths.toSorted(Buffer.compare));
  assert.equal(paths.length, plainEntries.length + 15);
});

for (const order of ['depth', 'sorted'] as const) {
  test(`with leave, in order ${order}, every directory is left once, after all that is below it`, async (t) => {
    const root = quickDirectory(t);
    plain(root);
    const entered = new Set<string>();
    const left = new Set<string>();
    for await (const entry of walk(root, { order, leave: true })) {
      for (const directory of left)
        assert.ok(!entry.path.startsWith(`${directory}/`), `${entry.path} after ${directory}`);
      if (entry.event === 'leave') {
        assert.ok(entered.has(entry.path) && !left.has(entry.path));
        assert.equal(entry.stat.isDirectory(), true);
        left.add(entry.path);
      } else if (entry.isDirectory()) entered.add(entry.path);
    }
    assert.deepEqual([...left].sort(), ['a', 'a/b', 'a/b/c', 'empty']);
    assert.deepEqual(left, new Set([...left].filter((path) => entered.has(path))));
  });

  test(`leave events in order ${order} come also for directories that are not entered, and not for those left out`, async (t) => {
    const root = quickDirectory(t);
    plain(root);
    const leaves = async (options: object) =>
      (await pathsOf(root, { order, leave: true, ...options })).filter((path) => path.startsWith('leave ')).sort();
    assert.deepEqual(await leaves({ maxDepth: 1 }), ['leave a', 'leave empty']);
    assert.deepEqual(await leaves({ exclude: 'a/b' }), ['leave a', 'leave empty']);
    assert.deepEqual(await leaves({ filter: ({ name }: { name: string }) => (name === 'b' ? 'skip' : 'include') }), [
      'leave a',
      'leave a/b/c',
      'leave empty',
    ]);
    assert.deepEqual(await leaves({ kinds: ['file'] }), []);
  });
}

test('leave events are refused where there is no order to them', () => {
  for (const order of ['any', 'breadth'] as const) {
    assert.throws(() => walk('/', { order, leave: true }), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
  }
});

test('every order, with few descriptors and many, finds the same set', async (t) => {
  const root = quickDirectory(t);
  project(root);
  const expected = (await pathsOf(root)).sort();
  for (const order of ['any', 'breadth', 'depth', 'sorted'] as const) {
    for (const maxOpenDirectories of [3, 4, 7, 100]) {
      const found = await pathsOf(root, { order, maxOpenDirectories });
      assert.deepEqual(found.sort(), expected, `${order}, ${maxOpenDirectories} directories open`);
    }
  }
});

test('maxDepth goes down as far as it says', async (t) => {
  const root = quickDirectory(t);
  plain(root);
  for (const order of ['any', 'breadth', 'depth', 'sorted'] as const) {
    for (const maxDepth of [1, 2, 3, 4, Number.POSITIVE_INFINITY]) {
      const expected = plainEntries.filter((path) => path.split('/').length <= maxDepth);
      assert.deepEqual((await pathsOf(root, { order, maxDepth })).sort(), expected);
    }
  }
});
