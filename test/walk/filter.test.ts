// What is reported and what is entered: globs, kinds, filter functions, one file system.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type FilterDecision, type WalkOptions, walk } from 'dirfd';
import { bindMount } from '../fixtures/mounts.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { metadata, plain, plainEntries, project } from '../fixtures/trees.js';
import { pathsOf } from './listing.js';

const orders = ['any', 'breadth', 'depth', 'sorted'] as const;

const below = (directory: string) => (path: string) => path === directory || path.startsWith(`${directory}/`);

const cases: [string, WalkOptions, (path: string) => boolean][] = [
  ['an exclude without a slash matches names at any depth', { exclude: 'b' }, (path) => !below('a/b')(path)],
  ['an exclude with a slash matches paths', { exclude: ['a/b', 'b/c'] }, (path) => !below('a/b')(path)],
  ['an exclude of everything in a directory leaves it out too', { exclude: 'a/**' }, (path) => !below('a')(path)],
  ['several excludes add up', { exclude: ['*.txt', '*.md'] }, (path) => !/\.(txt|md)$/.test(path)],
  ['an include reports what matches', { include: '*.txt' }, (path) => path.endsWith('.txt')],
  ['an include with a slash matches paths', { include: 'a/*' }, (path) => /^a\/[^/]+$/.test(path)],
  ['an include of a literal path reports that one', { include: 'a/b/c/leaf.txt' }, (path) => path === 'a/b/c/leaf.txt'],
  ['a globstar matches at any depth', { include: '**/*.txt' }, (path) => path.endsWith('.txt')],
  ['braces work', { include: '{a,empty}' }, (path) => path === 'a' || path === 'empty'],
  ['exclude wins over include', { include: '*.txt', exclude: 'a' }, (path) => /^[^/]+\.txt$/.test(path)],
  ['kinds report only themselves', { kinds: ['directory'] }, (path) => ['a', 'a/b', 'a/b/c', 'empty'].includes(path)],
  ['kinds and globs both hold', { kinds: ['file'], include: ['a/**'] }, (path) => /^a\/.*\.(txt|bin)$/.test(path)],
];

for (const [name, options, expected] of cases) {
  test(`${name}, in every order`, async (t) => {
    const root = temporaryDirectory(t);
    plain(root);
    for (const order of orders) {
      assert.deepEqual((await pathsOf(root, { ...options, order })).sort(), plainEntries.filter(expected), order);
    }
  });
}

test('a filter includes, skips and prunes', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  const decisions: Record<string, FilterDecision> = {
    a: 'skip',
    'a/b/c': 'prune',
    'readme.md': 'prune',
    empty: 'skip',
  };
  const expected = plainEntries.filter((path) => !(path in decisions) && !below('a/b/c')(path));
  for (const order of orders) {
    const asked: string[] = [];
    const filter = (entry: { path: string | Buffer }) => {
      asked.push(String(entry.path));
      return decisions[String(entry.path)] ?? 'include';
    };
    assert.deepEqual((await pathsOf(root, { order, filter })).sort(), expected, order);
    assert.deepEqual(
      asked.sort(),
      plainEntries.filter((path) => path !== 'a/b/c/leaf.txt'),
      'once each',
    );
  }
});

test('a filter sees the whole entry', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  const large = await pathsOf(root, { filter: (entry) => (entry.stat.size > 100_000 ? 'include' : 'skip') });
  assert.deepEqual(large, ['a/two.bin']);
  const deep = await pathsOf(root, { encoding: 'buffer', filter: (entry) => (entry.depth > 3 ? 'include' : 'skip') });
  assert.deepEqual(deep, ['a/b/c/leaf.txt']);
});

test('what a filter throws, or answers wrongly, ends the walk', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  for (const order of orders) {
    const throwing = () => {
      throw new Error('from the filter');
    };
    await assert.rejects(pathsOf(root, { order, filter: throwing }), { message: 'from the filter' });
    await assert.rejects(pathsOf(root, { order, filter: () => true as never }), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
  }
});

test('a filter that leaves everything out leaves nothing, and ends', async (t) => {
  const root = temporaryDirectory(t);
  project(root);
  for (const order of orders) {
    assert.deepEqual(await pathsOf(root, { order, filter: () => 'skip', highWaterMark: 1 }), []);
    assert.deepEqual(await pathsOf(root, { order, filter: () => 'prune' }), []);
  }
});

test('excluded directories are not opened, and what no kind wants is not stat’ed', async (t) => {
  const root = temporaryDirectory(t);
  project(root);
  const count = async (options: WalkOptions) => {
    const walking = walk(root, options);
    for await (const _ of walking);
    return walking.statistics;
  };
  const { directories } = await count({});
  assert.equal((await count({ exclude: 'directory-*' })).directories, 1);
  assert.ok((await count({ include: 'directory-1/directory-4/**' })).directories < directories / 2);
  assert.equal((await count({ filter: (entry) => (entry.isDirectory() ? 'prune' : 'include') })).directories, 1);
  assert.equal((await count({ kinds: ['directory'] })).entries, directories - 1);
});

test('with kinds, a filter is asked of those kinds and of directories, and nothing else is stat’ed', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  for (const order of orders) {
    const asked: string[] = [];
    const filter = (entry: { kind: string }) => {
      asked.push(entry.kind);
      return 'include' as const;
    };
    const walking = walk(root, { order, kinds: ['symlink'], exclude: 'nothing', filter });
    const found: string[] = [];
    for await (const { kind } of walking) found.push(kind);
    assert.deepEqual(found, ['symlink', 'symlink', 'symlink', 'symlink']);
    assert.deepEqual(new Set(asked), new Set(['directory', 'symlink']));
    assert.equal(walking.statistics.entries, 8, 'four links, four directories');
  }
});

test('an include opens only directories that can hold what it matches', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  mkdirSync(join(root, 'a', 'other', 'deep'), { recursive: true });
  const opened = async (include: string | string[]) => {
    const walking = walk(root, { include });
    for await (const _ of walking);
    return walking.statistics.directories;
  };
  // The root is one of them.
  assert.equal(await opened('a/*'), 2, 'not what is reported itself');
  assert.equal(await opened('./a/b/*'), 3);
  assert.equal(await opened('*/{b,x}/c/*.txt'), 5, 'with a and empty');
  assert.equal(await opened(['a/[bc]/?', 'empty/x']), 4);
  assert.equal(await opened('a/b/**'), 4);
  assert.equal(await opened('*.txt'), 7, 'a name may be anywhere');
});

test('every kind is told apart', async (t) => {
  const root = temporaryDirectory(t);
  metadata(root);
  chmodSync(join(root, 'modes/directory-0000'), 0o700); // an ordinary user may not read it
  const all = new Map<string, string[]>();
  for await (const { kind, path } of walk(root)) all.set(kind, [...(all.get(kind) ?? []), path]);
  for (const [kind, paths] of all) {
    const found = await pathsOf(root, { kinds: [kind as 'file'] });
    assert.equal(found.length, paths.length, kind);
  }
  assert.ok(all.size >= 3);
});

test('one file system: a bind mount is reported and not entered', async (t) => {
  const root = temporaryDirectory(t);
  const other = temporaryDirectory(t);
  plain(other);
  mkdirSync(join(root, 'mounted'));
  mkdirSync(join(root, 'own'));
  writeFileSync(join(root, 'own', 'file'), '');
  if (!bindMount(t, other, join(root, 'mounted'))) return;
  for (const order of orders) {
    const found = await pathsOf(root, { order, oneFileSystem: true });
    assert.deepEqual(found.sort(), ['mounted', 'own', 'own/file']);
    assert.equal((await pathsOf(root, { order })).length, plainEntries.length + 3);
  }
});
