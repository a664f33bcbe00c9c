// What the filters leave out is not copied, not compared, not opened, and not deleted.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CopyOptions, copyTree, diffTree, type TreeFilterOptions, verifyTree } from 'dirfd';
import * as fc from 'fast-check';
import { attempt, run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { importable } from '../fixtures/ordinary-user.js';
import { strace } from '../fixtures/strace.js';
import { removeAnything, temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { createTree, type TreeNode, treeArbitrary } from '../fixtures/trees.js';
import { assertComplete, type Pair, pair, pairIn } from './pair.js';

/** Files by their paths; directories are made as needed, and where a path ends with a slash. */
function fill(root: string, paths: readonly string[], content = ''): void {
  for (const path of paths) {
    mkdirSync(path.endsWith('/') ? join(root, path) : dirname(join(root, path)), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(root, path), content);
  }
}

function below(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
}

function filled(t: TestContext, source: readonly string[], destination: readonly string[] = []): Pair {
  const made = pair(t, (path) => fill(path, source));
  if (destination.length > 0) fill(made.destination, destination);
  return made;
}

test('exclude leaves out what matches, and all below it', async (t) => {
  const { source, destination } = filled(t, ['a.log', 'a.txt', 'cache/x', 'sub/cache/y', 'sub/b.log', 'sub/b.txt']);
  assertComplete(await copyTree(source, destination, { exclude: ['*.log', 'sub/cache'] }));
  assert.deepEqual(below(destination), ['a.txt', 'cache', 'cache/x', 'sub', 'sub/b.txt']);
});

test('include takes what matches, and makes the directories in which something may', async (t) => {
  const { source, destination } = filled(t, ['a.ts', 'a.js', 'src/b.ts', 'src/b.js', 'docs/c.md']);
  assertComplete(await copyTree(source, destination, { include: '*.ts' }));
  assert.deepEqual(below(destination), ['a.ts', 'docs', 'src', 'src/b.ts']);
  assertComplete(await copyTree(source, `${destination}-2`, { include: 'src/*.ts' }));
  assert.deepEqual(below(`${destination}-2`), ['src', 'src/b.ts']);
});

test('gitignore leaves out what the ignore files of the source exclude, of each directory, and .git', async (t) => {
  const { source, destination, from } = filled(t, ['.git/HEAD', 'a.o', 'a.c', 'sub/b.o', 'sub/keep.o', 'sub/out/c']);
  writeFileSync(from('.gitignore'), '*.o\n');
  writeFileSync(from('sub', '.gitignore'), '!keep.o\nout/\n');
  assertComplete(await copyTree(source, destination, { gitignore: true }));
  assert.deepEqual(below(destination), ['.gitignore', 'a.c', 'sub', 'sub/.gitignore', 'sub/keep.o']);
});

test('an ignore file that is a symlink or too large to be one', async (t) => {
  const { source, destination, from } = filled(t, ['patterns', 'a']);
  writeFileSync(from('patterns'), '*\n');
  symlinkSync('patterns', from('.gitignore'));
  assertComplete(await copyTree(source, destination, { gitignore: true }));
  assert.deepEqual(below(destination), ['.gitignore', 'a', 'patterns']);
  fill(source, ['large/.gitignore'], '#'.repeat((1 << 20) + 1));
  const { errors } = await copyTree(source, destination, { gitignore: true, onError: 'continue' });
  assert.deepEqual(
    errors.map(({ path, error }) => [path, error.code]),
    [['large', 'ERR_DIRFD_TOO_LARGE']],
  );
});

test('filter is asked once an entry, with its path, depth and stat, and not below what it prunes', async (t) => {
  const { source, destination, from } = filled(t, ['a/b/c', 'a/d', 'e']);
  const asked: [string, number, string, number][] = [];
  await copyTree(source, destination, {
    filter: (entry) => {
      asked.push([entry.path, entry.depth, entry.kind, entry.stat.size]);
      return entry.name === 'b' ? 'prune' : 'include';
    },
  });
  const sizeOf = (path: string) => lstatSync(from(path)).size; // of directories, on btrfs, by their entries
  assert.deepEqual(asked.sort(), [
    ['a', 1, 'directory', sizeOf('a')],
    ['a/b', 2, 'directory', sizeOf('a/b')],
    ['a/d', 2, 'file', 0],
    ['e', 1, 'file', 0],
  ]);
  assert.deepEqual(below(destination), ['a', 'a/d', 'e']);
});

test('what filter throws ends the copy, under any policy; so does an answer that it may not give', async (t) => {
  const { source, destination } = filled(t, ['a', 'b']);
  const reason = new Error('no more');
  const throwing = { onError: 'continue', filter: () => assert.fail(reason) } as const;
  await assert.rejects(async () => await copyTree(source, destination, throwing), reason);
  await assert.rejects(async () => await verifyTree(source, destination, throwing), reason);
  const wrong = { onError: 'continue', filter: (() => true) as unknown as () => 'include' } as const;
  await assert.rejects(async () => await copyTree(source, destination, wrong), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
  await assert.rejects(async () => await verifyTree(source, source, wrong), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
});

test('what is left out is not deleted either, whether the source has it or not', async (t) => {
  const theirs = ['a.log', 'b.log', 'old.txt', 'gone/x', 'gone/y.log', 'gone/deep/z', 'lost/x', 'kept/x'];
  const { source, destination, to } = filled(t, ['a.log', 'a.txt', 'kept/x'], theirs);
  writeFileSync(to('a.log'), 'theirs');
  const options: CopyOptions = { delete: true, exclude: ['*.log', 'kept'] };
  const dry = await copyTree(source, destination, { ...options, dryRun: true });
  const report = await copyTree(source, destination, options);
  assert.deepEqual(below(destination), ['a.log', 'a.txt', 'b.log', 'gone', 'gone/y.log', 'kept', 'kept/x']);
  assert.deepEqual([report.deleted, dry.deleted], [6, 6]);
  await copyTree(source, destination, { ...options, deleteExcluded: true });
  assert.deepEqual(below(destination), ['a.txt']);
});

test('filter is asked about what only the destination has, where it would be deleted', async (t) => {
  const { source, destination } = filled(t, ['a'], ['mine/x', 'theirs/x']);
  const filter: TreeFilterOptions['filter'] = ({ path }) => (path === 'theirs' ? 'prune' : 'include');
  await copyTree(source, destination, { delete: true, filter });
  assert.deepEqual(below(destination), ['a', 'theirs', 'theirs/x']);
});

test('a directory that holds something protected does not give way to a file', async (t) => {
  const { source, destination, to } = filled(t, ['a', 'b'], ['a/x', 'a/y.log', 'b/x']);
  const options = { delete: true, exclude: '*.log' } as const;
  await assert.rejects(async () => await copyTree(source, destination, options), { code: 'ENOTEMPTY', path: 'a' });
  const report = await copyTree(source, destination, { ...options, onError: 'continue' });
  assert.deepEqual([report.errorCount, report.exitCode], [1, 23]);
  assert.deepEqual(below(to('a')), ['x', 'y.log']);
  assertComplete(await copyTree(source, destination, { ...options, deleteExcluded: true }));
  assertSameTree(source, destination);
});

test('an excluded directory is not opened, neither to copy nor to compare', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { source, destination } = filled(t, ['secret-place/x', 'a']);
  const script = importable(`
    import { copyTree, verifyTree } from 'dirfd';
    const options = { exclude: 'secret-*', delete: true };
    await copyTree(process.argv[1], process.argv[2], options);
    const { same } = await verifyTree(process.argv[1], process.argv[2], options);
    process.exit(same ? 0 : 3);`);
  const command = [process.execPath, '--input-type=module', '-e', script, '--', source, destination];
  const { events, status, stderr } = strace(command, { trace: ['open', 'openat', 'openat2'] });
  assert.equal(status, 0, stderr);
  assert.ok(events.length > 0);
  assert.deepEqual(
    events.filter(({ args }) => JSON.stringify(args).includes('secret-')),
    [],
  );
});

test('verifyTree compares only what takes part', async (t) => {
  const { source, destination, from, to } = filled(t, ['a', 'a.log', 'cache/x', 'sub/b'], ['a', 'b.log', 'sub/b']);
  writeFileSync(to('sub', 'b'), 'other');
  writeFileSync(from('.gitignore'), 'cache\n');
  const paths = async (options: TreeFilterOptions) => {
    const { differences } = await diffTree(source, destination, { ...options, times: false });
    return differences.map(({ path, field }) => `${path} ${field}`).sort();
  };
  const all = ['.gitignore missing', 'a.log missing', 'b.log extra', 'cache missing', 'sub/b size'];
  assert.deepEqual(await paths({}), all);
  assert.deepEqual(await paths({ exclude: '*.log' }), ['.gitignore missing', 'cache missing', 'sub/b size']);
  assert.deepEqual(await paths({ include: ['*.log', 'sub'], gitignore: true }), ['a.log missing', 'b.log extra']);
  assert.deepEqual(await paths({ filter: ({ name }) => (name === 'sub' || name === 'b' ? 'include' : 'prune') }), [
    'sub/b size',
  ]);
});

test('a single file is copied whatever the filters say: they are about what lies below', async (t) => {
  const { base, from } = filled(t, ['a']);
  await copyTree(from('a'), join(base, 'b'), { exclude: '*' });
  assert.ok(existsSync(join(base, 'b')));
});

const runs = Number(process.env.DIRFD_TEST_RUNS ?? 25);
const globArbitrary = fc.constantFrom('a', 'b*', '?c', '*d', 'ab', '[ac]*', 'a/b', 'c/*');
const ruleArbitrary = fc.record({
  exclude: fc.array(globArbitrary, { maxLength: 2 }),
  include: fc.array(fc.constantFrom('a', 'b*', '?c', '*d'), { maxLength: 2 }),
  deleteExcluded: fc.boolean(),
});

/** Whether a directory of one tree is something else in the other. */
function conflict(a: TreeNode | undefined, b: TreeNode | undefined): boolean {
  if (a?.kind !== 'directory' || b?.kind !== 'directory')
    return (a?.kind === 'directory') !== (b?.kind === 'directory');
  return [...a.children].some(([name, child]) => b.children.has(name) && conflict(child, b.children.get(name)));
}

test('any tree becomes what rsync makes of it with the same rules', async (t) => {
  if (!requireTool(t, 'rsync')) return;
  const base = temporaryDirectory(t);
  const property = fc.asyncProperty(treeArbitrary, treeArbitrary, ruleArbitrary, async (before, after, rules) => {
    // Directories pass `include` by their kind. A file that does not keeps a directory of its name from deletion here, but not in rsync,
    // which goes by what the destination has.
    fc.pre(rules.include.length === 0 || !conflict(before, after));
    const place = mkdtempSync(join(base, 'run-'));
    try {
      const { source, destination } = pairIn(place, (path) => createTree(path, after));
      const theirs = `${destination}-rsync`;
      mkdirSync(destination);
      createTree(destination, before);
      run('cp', ['-a', destination, theirs]);
      const { exclude, include, deleteExcluded } = rules;
      const report = await copyTree(source, destination, {
        ...{ exclude, delete: true, deleteExcluded, onError: 'continue' },
        ...(include.length > 0 ? { include } : {}),
      });
      // A directory with protected files in a file's place: rsync removes what else is in it, dirfd leaves all of it. Both tell.
      fc.pre(report.errorCount === 0);
      const rsync = attempt('rsync', [
        ...['-aHAX', '--ignore-times', deleteExcluded ? '--delete-excluded' : '--delete'],
        ...exclude.map((glob) => `--exclude=${glob.includes('/') ? `/${glob}` : glob}`),
        ...(include.length > 0 ? ['--include=*/', ...include.map((glob) => `--include=${glob}`), '--exclude=*'] : []),
        ...[`${source}/`, `${theirs}/`],
      ]);
      assert.equal(rsync.status, 0, rsync.stderr);
      // The times of directories in which something was deleted are the time of deletion, which may be in another second.
      assertSameTree(theirs, destination, { times: false, directoryTimes: false, holes: false });
    } finally {
      removeAnything(place);
    }
  });
  await fc.assert(property, { numRuns: runs });
});
