// Any tree is copied as it is; any tree is turned into any other by update and delete.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyTree } from 'dirfd';
import * as fc from 'fast-check';
import { assertSameTree } from '../fixtures/compare.js';
import { removeAnything, temporaryDirectory } from '../fixtures/temporary.js';
import { createTree, treeArbitrary } from '../fixtures/trees.js';
import { assertComplete, pairIn } from './pair.js';

const runs = Number(process.env.DIRFD_TEST_RUNS ?? 25);

test('any tree is copied, and a second copy over it changes nothing', async (t) => {
  const base = temporaryDirectory(t);
  const property = fc.asyncProperty(treeArbitrary, fc.integer({ min: 1, max: 4 }), async (tree, concurrency) => {
    await inOwnDirectory(base, async (place) => {
      const { source, destination } = pairIn(place, (path) => createTree(path, tree));
      assertComplete(await copyTree(source, destination, { concurrency }));
      assertSameTree(source, destination);
      const again = await copyTree(source, destination, { update: true, delete: true });
      assert.deepEqual(
        [again.files, again.directories, again.hardLinks, again.updated, again.deleted],
        [0, 0, 0, 0, 0],
      );
    });
  });
  await fc.assert(property, { numRuns: runs });
});

test('any tree becomes any other by update and delete, as a dry run foretells', async (t) => {
  const base = temporaryDirectory(t);
  const property = fc.asyncProperty(treeArbitrary, treeArbitrary, async (before, after) => {
    await inOwnDirectory(base, async (place) => {
      const { source, destination } = pairIn(place, (path) => createTree(path, after));
      mkdirSync(destination);
      createTree(destination, before);
      const options = { update: true, delete: true } as const;
      const foretold = await copyTree(source, destination, { ...options, dryRun: true });
      const { deleted, directories, errorCount } = await copyTree(source, destination, options);
      assert.deepEqual([foretold.deleted, foretold.directories, errorCount], [deleted, directories, 0]);
      assertSameTree(source, destination);
    });
  });
  await fc.assert(property, { numRuns: runs });
});

async function inOwnDirectory(base: string, run: (place: string) => Promise<void>): Promise<void> {
  const place = mkdtempSync(join(base, 'run-'));
  try {
    await run(place);
  } finally {
    removeAnything(place);
  }
}
