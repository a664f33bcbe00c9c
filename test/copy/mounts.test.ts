// A root whose handle crosses no mounts: copies and comparisons keep to that, on either side, also where the mount shows the same file system.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyTree, DirectoryFd, diffTree, verifyTree } from 'dirfd';
import { bindMount } from '../fixtures/mounts.js';
import { requireRoot } from '../fixtures/tools.js';
import { type Pair, pair } from './pair.js';

/** Two trees alike, with what is outside mounted in one of them. */
async function withMount(t: TestContext, side: 'source' | 'destination') {
  const made: Pair = pair(t);
  const outside = join(made.base, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'theirs'), 'theirs');
  for (const tree of [made.source, made.destination]) {
    mkdirSync(join(tree, 'directory/mount'), { recursive: true });
    writeFileSync(join(tree, 'directory/mount/ours'), 'ours');
  }
  writeFileSync(made.from('directory/mount/more'), 'more');
  bindMount(t, outside, join(made[side], 'directory/mount'));
  const open = async (path: string): Promise<DirectoryFd> => {
    const directory = await DirectoryFd.open(path, { crossMounts: false });
    t.after(() => directory.close());
    return directory;
  };
  return { ...made, outside, a: await open(made.source), b: await open(made.destination) };
}

test('copyTree with such a source leaves out what is mounted there', async (t) => {
  if (!requireRoot(t)) return;
  const { a, base } = await withMount(t, 'source');
  await copyTree(a, join(base, 'copy'));
  assert.deepEqual(readdirSync(join(base, 'copy/directory/mount')), []);
});

for (const options of [{}, { update: true }, { update: true, delete: true }]) {
  test(`copyTree to such a destination changes nothing that is mounted there: ${JSON.stringify(options)}`, async (t) => {
    if (!requireRoot(t)) return;
    const { a, b, outside } = await withMount(t, 'destination');
    const { errors } = await copyTree(a, b, { onError: 'continue', ...options });
    assert.deepEqual(
      errors.map(({ path, error }) => [path, error.code]),
      [['directory/mount', 'EXDEV']],
    );
    assert.deepEqual(readdirSync(outside), ['theirs']);
  });
}

for (const side of ['source', 'destination'] as const) {
  test(`verifyTree and diffTree look at nothing that is mounted in such a ${side}`, async (t) => {
    if (!requireRoot(t)) return;
    const { a, b } = await withMount(t, side);
    for (const compare of [verifyTree, diffTree]) {
      const { errors, differences } = await compare(a, b);
      assert.deepEqual(
        errors.map(({ path, error }) => [path, error.code]),
        [['directory/mount', 'EXDEV']],
      );
      assert.deepEqual(
        differences.filter(({ path }) => path.includes('theirs')),
        [],
      );
    }
  });
}
