// Options drawn at random: the same entries in every order, on any number of threads, with any number of
// descriptors; and what is left is what was reported.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { Entry, FilterDecision, WalkOptions } from 'dirfd';
import * as fc from 'fast-check';
import { quickTemporaryRoot, temporaryDirectory } from '../fixtures/temporary.js';
import { pathsOf } from './listing.js';

/** Directories three levels deep, each with files, ignore files in some, and links down, up, aside, out and to nothing. */
function tree(root: string, depth = 1): void {
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(root, `${name}${name}`), '');
  writeFileSync(join(root, 'bad\n'), '');
  symlinkSync(depth > 1 ? '../aa' : 'nothing', join(root, 'la'));
  symlinkSync(['c', '../d', '..'][depth - 1] ?? '/', join(root, 'lb'));
  if (depth > 3) return;
  for (const name of ['a', 'b', 'c', 'd'].slice(0, 5 - depth)) {
    mkdirSync(join(root, name));
    tree(join(root, name), depth + 1);
    if (name === 'b') writeFileSync(join(root, name, '.gitignore'), ['a', 'c*\n!cc', '/b/a'][depth - 1] ?? '');
  }
}

const globs = fc.array(fc.constantFrom('a*', '?', '[bc]', '*/b*', 'a/**', '*/*/*', '**/d', '{a,b}/*'), {
  minLength: 1,
});
const kinds = fc.uniqueArray(fc.constantFrom('file' as const, 'directory' as const, 'symlink' as const), {
  minLength: 1,
});

/** Decides by the name alone, so that every order decides alike. */
function decide(entry: Entry<string | Buffer>): FilterDecision {
  return (['include', 'include', 'skip', 'prune'] as const)[(entry.nameBytes[0] ?? 0) % 4] ?? 'include';
}

/** Few at a time: all together leave nothing. */
function seldom<T>(option: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: option });
}

const drawn: fc.Arbitrary<WalkOptions> = fc.record({
  include: seldom(globs),
  exclude: seldom(globs),
  kinds: seldom(kinds),
  maxDepth: seldom(fc.integer({ min: 1, max: 4 })),
  symlinks: seldom(fc.constant('follow' as const)),
  gitignore: fc.boolean(),
  filter: seldom(fc.constant(decide)),
});
const manner: fc.Arbitrary<WalkOptions> = fc.record({
  concurrency: fc.constantFrom(1, 2, 8),
  maxOpenDirectories: fc.constantFrom(3, 7, 100),
  batchSize: fc.constantFrom(1, 5, 1000),
  highWaterMark: fc.constantFrom(1, 1 << 20),
});

test('every order, in every manner, reports the same entries whatever the options', async (t) => {
  const root = temporaryDirectory(t, 'dirfd-options-', quickTemporaryRoot());
  tree(root);
  const numRuns = 100;
  let reported = 0;
  await fc.assert(
    fc.asyncProperty(drawn, manner, async (options, how) => {
      const expected = (await pathsOf(root, { ...options, order: 'sorted', concurrency: 1 })).sort();
      reported += expected.length;
      for (const order of ['any', 'breadth', 'depth', 'sorted'] as const) {
        const found = await pathsOf(root, { ...options, ...how, order });
        assert.deepEqual(found.sort(), expected, order);
      }
      const directories = await pathsOf(root, { ...options, kinds: ['directory'] });
      for (const order of ['depth', 'sorted'] as const) {
        const events = await pathsOf(root, { ...options, ...how, kinds: ['directory'], order, leave: true });
        const left = events.filter((event) => event.startsWith('leave ')).map((event) => event.slice(6));
        assert.deepEqual(left.sort(), directories.sort(), `left in order ${order}`);
      }
    }),
    { numRuns },
  );
  t.diagnostic(`${numRuns} sets of options, ${Math.round(reported / numRuns)} entries reported on average`);
  assert.ok(reported > 20 * numRuns);
});
