// What a copy tells of each entry: in rsync's notation, as rsync itself tells it, and foretold by a dry run word for word.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CopyEntryEvent, type CopyOptions, type CopyReport, copyTree } from 'dirfd';
import * as fc from 'fast-check';
import { attempt, run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { removeAnything, temporaryDirectory } from '../fixtures/temporary.js';
import { isRoot, requireTool } from '../fixtures/tools.js';
import { createTree, type TreeNode, treeArbitrary } from '../fixtures/trees.js';
import { pair, pairIn } from './pair.js';

const runs = Number(process.env.DIRFD_TEST_RUNS ?? 12);

async function eventsOf(job: ReturnType<typeof copyTree>): Promise<CopyEntryEvent[]> {
  const events: CopyEntryEvent[] = [];
  for await (const event of job) if (event.type === 'entry') events.push(event);
  return events;
}

const lineOf = ({ action, changes, pathBytes, kind, linkTo }: CopyEntryEvent): string => {
  const slash = kind === 'directory' ? '/' : '';
  return `${action} ${changes} ${pathBytes.toString('latin1')}${slash}${linkTo === undefined ? '' : ` => ${linkTo}`}`;
};

const counts = ({ source: _s, destination: _d, milliseconds: _m, bytes: _b, ...counted }: CopyReport) => counted;

/** Two random trees, the second at the destination already; some of its entries are those of the first. */
async function withPair(
  base: string,
  [before, after]: readonly TreeNode[],
  body: (source: string, destination: string) => Promise<void>,
): Promise<void> {
  const place = mkdtempSync(join(base, 'run-'));
  try {
    const { source, destination } = pairIn(place, (path) =>
      createTree(path, after as Parameters<typeof createTree>[1]),
    );
    mkdirSync(destination);
    createTree(destination, before as Parameters<typeof createTree>[1]);
    await body(source, destination);
  } finally {
    removeAnything(place);
  }
}

const optionsArbitrary: fc.Arbitrary<CopyOptions> = fc.record({
  update: fc.boolean(),
  checksum: fc.boolean(),
  delete: fc.boolean(),
  hardLinks: fc.boolean(),
  existing: fc.constantFrom('replace' as const, 'keep' as const),
});

test('a dry run tells event by event, and counts, what the run then does', async (t) => {
  const base = temporaryDirectory(t);
  const property = fc.asyncProperty(treeArbitrary, treeArbitrary, optionsArbitrary, async (before, after, how) => {
    await withPair(base, [before, after], async (source, destination) => {
      const options: CopyOptions = { ...how, itemize: true, concurrency: 1, onError: 'continue' };
      const dry = copyTree(source, destination, { ...options, dryRun: true });
      const foretold = (await eventsOf(dry)).map(lineOf).sort();
      const real = copyTree(source, destination, options);
      assert.deepEqual((await eventsOf(real)).map(lineOf).sort(), foretold);
      const [expected, got] = [counts(await dry), counts(await real)];
      assert.deepEqual({ ...got, errors: [] }, { ...expected, errors: [] });
    });
  });
  await fc.assert(property, { numRuns: runs });
});

/** `code path` of what rsync -i prints, names as latin1. */
// Without --modify-window=-1, rsync compares whole seconds.
function rsyncLines(source: string, destination: string, more: readonly string[]): Map<string, string> {
  const args = [
    '-aHAXn8',
    '--delete',
    '--itemize-changes',
    '--modify-window=-1',
    ...more,
    `${source}/`,
    `${destination}/`,
  ];
  const { stdout, status, stderr } = attempt('rsync', args, { encoding: 'latin1' });
  assert.equal(status, 0, stderr);
  const lines = new Map<string, string>();
  for (const line of stdout.split('\n')) {
    if (line === '') continue;
    const [code, rest] = [line.slice(0, 11), line.slice(12)];
    const name = rest.replace(/ -> .*$/s, '').replace(/ => .*$/s, '');
    lines.set(
      name.replace(/\\#(\d{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8))),
      code,
    );
  }
  return lines;
}

function ours(events: readonly CopyEntryEvent[]): Map<string, string> {
  return new Map(
    events.map(({ pathBytes, kind, changes }) => {
      const name = `${pathBytes.toString('latin1') || '.'}${kind === 'directory' ? '/' : ''}`;
      return [name, changes];
    }),
  );
}

/**
 * What the two tell differently, and not by mistake: which of several names is first; what lies in a directory that goes, which dirfd tells
 * as one; and what gives way to another kind, which rsync may tell as deleted first.
 */
function comparable(lines: Map<string, string>, source: string, destination: string): string[] {
  const at = (root: string, name: string) => {
    const path = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name.replace(/\/$/, ''), 'latin1')]);
    try {
      return lstatSync(path, { throwIfNoEntry: false });
    } catch {
      return undefined; // below what is no directory on this side
    }
  };
  const isLinked = (name: string) =>
    [source, destination].some((root) => {
      const stat = at(root, name);
      return stat !== undefined && !stat.isDirectory() && stat.nlink > 1;
    });
  const parents = (name: string) => {
    const parts = name.replace(/\/$/, '').split('/');
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
  };
  // A directory that is not in the source, or is none there.
  const goesWith = (name: string) => parents(name).some((parent) => at(source, parent)?.isDirectory() !== true);
  const told = [...lines].filter(([name, code]) => {
    if (isLinked(name)) return false;
    return !code.startsWith('*deleting') || (!goesWith(name) && at(source, name) === undefined);
  });
  return told.map(([name, code]) => `${code} ${name}`).sort();
}

for (const checksum of [false, true]) {
  test(`over any two trees rsync tells the same, checksum: ${checksum}`, async (t) => {
    if (!requireTool(t, 'rsync')) return;
    const base = temporaryDirectory(t);
    const property = fc.asyncProperty(treeArbitrary, treeArbitrary, async (before, after) => {
      await withPair(base, [before, after], async (source, destination) => {
        const options: CopyOptions = { update: true, checksum, delete: true, itemize: true, dryRun: true };
        const told = ours(await eventsOf(copyTree(source, destination, options)));
        const theirs = rsyncLines(source, destination, checksum ? ['--checksum'] : []);
        assert.deepEqual(comparable(told, source, destination), comparable(theirs, source, destination));
      });
    });
    await fc.assert(property, { numRuns: runs });
  });
}

test('each letter stands where rsync has it', async (t) => {
  if (!requireTool(t, 'rsync', 'setfattr', 'setfacl')) return;
  const { source, destination, from, to } = pair(t);
  const names = ['acl', 'attribute', 'content', 'mode', 'same', 'size', 'time'];
  for (const name of names) writeFileSync(from(name), `content of ${name}`);
  for (const name of ['directory', 'gone']) mkdirSync(from(name));
  symlinkSync('one', from('link'));
  run('mkfifo', [from('fifo')]);
  if (isRoot()) for (const name of ['owner', 'group']) writeFileSync(from(name), '');
  await copyTree(source, destination);
  writeFileSync(to('size'), 'more than there was');
  // Further apart than what one tick of the clock may hide.
  for (const name of ['size', 'time', 'gone', '.']) utimesSync(from(name), 1e9, 1e9);
  run('chmod', ['0600', to('mode')]);
  run('chmod', ['0700', to('directory')]);
  run('setfattr', ['-n', 'user.more', '-v', '1', to('attribute')]);
  run('setfacl', ['-m', 'u:12345:r', to('acl')]);
  run('sh', [
    '-c',
    'rm -r "$1/gone" && rm "$1/link" && ln -s two "$1/link" && touch -h -r "$0/link" "$1/link"',
    source,
    destination,
  ]);
  if (isRoot()) run('sh', ['-c', 'chown 12345 "$0/owner" && chgrp 12345 "$0/group"', destination]);
  const options: CopyOptions = { update: true, delete: true, itemize: true };
  const dry = await eventsOf(copyTree(source, destination, { ...options, dryRun: true }));
  const theirs = rsyncLines(source, destination, []);
  // xfs shows root an ACL once more, as an attribute.
  if (theirs.get('acl') === '.f.......ax') theirs.set('acl', '.f.......a.');
  assert.deepEqual([...ours(dry)].sort(), [...theirs].sort());
  assert.equal(ours(dry).get('link'), 'cLc........');
  assert.deepEqual((await eventsOf(copyTree(source, destination, options))).map(lineOf).sort(), dry.map(lineOf).sort());
  assertSameTree(source, destination);
  assert.deepEqual(await eventsOf(copyTree(source, destination, options)), []);
});

test('a further name of a file is told with the first, in a dry run onto nothing too', async (t) => {
  const { source, destination, from } = pair(t);
  writeFileSync(from('one'), '');
  mkdirSync(from('below'));
  for (const name of ['two', 'below/three']) linkSync(from('one'), from(name));
  for (const dryRun of [true, false]) {
    const job = copyTree(source, destination, { itemize: true, dryRun });
    const links = (await eventsOf(job)).filter(({ linkTo }) => linkTo !== undefined);
    const { hardLinks, files } = await job;
    assert.deepEqual([hardLinks, files, existsSync(destination)], [2, 1, !dryRun]);
    assert.deepEqual([...new Set(links.map(({ changes }) => changes))], ['hf+++++++++']);
    assert.equal(new Set(links.map(({ linkTo }) => linkTo)).size, 1);
  }
});

test('checksum: what differs at the same size and time is copied, and what is the same only gets its time', async (t) => {
  const { source, destination, from, to } = pair(t);
  for (const name of ['differs', 'late', 'same', 'other-time']) writeFileSync(from(name), Buffer.alloc(600_000, name));
  await copyTree(source, destination);
  const { atime, mtime } = lstatSync(from('differs'));
  for (const [name, at] of [
    ['differs', 0],
    ['late', 599_999],
  ] as const) {
    const content = Buffer.alloc(600_000, name);
    content[at] = 0;
    writeFileSync(to(name), content);
    for (const path of [from(name), to(name)]) utimesSync(path, atime, mtime);
  }
  utimesSync(to('other-time'), 1e9, 1e9);
  const inode = lstatSync(to('other-time')).ino;
  const bySize = await copyTree(source, destination, { update: true, dryRun: true });
  assert.deepEqual([bySize.files, bySize.updated], [1, 0], 'time alone does not tell');

  const options: CopyOptions = { checksum: true, itemize: true };
  const dry = copyTree(source, destination, { ...options, dryRun: true });
  const foretold = (await eventsOf(dry)).map(lineOf).sort();
  assert.deepEqual(foretold, [
    'metadata .f..t...... other-time',
    'replace >fc........ differs',
    'replace >fc........ late',
  ]);
  const real = copyTree(source, destination, options);
  assert.deepEqual((await eventsOf(real)).map(lineOf).sort(), foretold);
  const { files, updated, bytes } = await real;
  assert.deepEqual([files, updated, bytes], [2, 1, 1_200_000]);
  const predicted = await dry;
  assert.deepEqual([predicted.files, predicted.updated, predicted.bytes], [2, 1, 1_200_000]);
  assert.equal(lstatSync(to('other-time')).ino, inode);
  assertSameTree(source, destination);
});
