// What a power cut can leave. The calls of one commit are recorded with strace; of those since the last sync, any may be lost, in any order. Each
// such state is made on the disk, with the very inodes of the commit, and recovered from.
import assert from 'node:assert/strict';
import { chmodSync, lstatSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { recover, undo } from 'dirfd/transaction';
import { strace } from '../fixtures/strace.js';
import { requireTool } from '../fixtures/tools.js';
import { after, assertWhole, commandOf, env, files, runKilled } from './crash.js';
import { inRootWith, leavings, rootWith, STATE, snapshot } from './snapshot.js';

/** States tried of each segment that has more. `npm run crash` tries many. */
const SUBSETS = process.env.DIRFD_CRASH === 'all' ? 4096 : 32;

/** A directory by its inode, because it may be elsewhere in another order. */
interface Place {
  readonly directory: number;
  readonly name: string;
}

type Change =
  | { readonly do: 'rename' | 'exchange'; readonly from: Place; readonly to: Place }
  | { readonly do: 'chmod'; readonly at: Place; readonly mode: number; readonly before: number }
  | { readonly do: 'log'; readonly size: number; readonly before: number }
  | { readonly do: 'sync' };

test('after a commit record, any of the changes since the last sync may be lost, and recovery makes them all', async (t) => {
  if (!requireTool(t, 'strace')) return;
  const root = rootWith(t, files);
  const before = snapshot(root);
  const changes = recorded(root);
  assert.deepEqual(snapshot(root), after);
  const segments = segmentsOf(changes);
  let states = 0;
  for (const [index, segment] of segments.entries()) {
    for (const subset of subsetsOf(segment)) {
      // Back to the commit point, then forth as far as the disk has got.
      for (const change of [...changes].reverse()) takeBack(root, change);
      assert.deepEqual(snapshot(root), before);
      for (const change of segments.slice(0, index).flat()) assert.ok(make(root, change));
      // In an order of its own: what depends on another change comes when that has been made.
      let waiting = shuffled(subset);
      for (let progress = true; progress; ) {
        const left = waiting.filter((change) => !make(root, change));
        progress = left.length < waiting.length;
        waiting = left;
      }
      if (waiting.length > 0) {
        for (const change of subset.filter((each) => !waiting.includes(each)).reverse()) takeBack(root, change);
        for (const change of segments.slice(0, index).flat().reverse()) takeBack(root, change);
        for (const change of changes) make(root, change);
        continue;
      }
      states++;
      await recover(root);
      assert.deepEqual(snapshot(root), after, JSON.stringify(subset));
    }
  }
  t.diagnostic(`${changes.length} changes in ${segments.length} segments, ${states} states`);
  assert.ok(states > 20);
  await undo(root, 't');
  assert.deepEqual(snapshot(root), before);
  assert.deepEqual(leavings(root), []);
});

test('a mode is synced with its own file, before the log says that all is done', (t) => {
  if (!requireTool(t, 'strace')) return;
  const root = rootWith(t, files);
  const { events } = strace(commandOf('commit', [root, 'keep']), { trace: ['fchmod', 'fsync', 'fdatasync'], env });
  const changed = events.findLastIndex(({ call, args }) => call === 'fchmod' && args[1] === '0600');
  const fd = events[changed]?.args[0];
  assert.match(fd ?? '', /\/e\/z>$/);
  const synced = events.findIndex(({ call, args }, at) => at > changed && call === 'fsync' && args[0] === fd);
  const done = events.findLastIndex(({ call }) => call === 'fdatasync');
  assert.ok(synced > changed && synced < done, `${changed} < ${synced} < ${done}`);
});

test('before it, the log and all that is staged may be lost or torn, and nothing has happened', async (t) => {
  if (!requireTool(t, 'strace')) return;
  for (const share of [0, 0.3, 0.7, 0.999]) {
    await inRootWith(files, async (root) => {
      const before = snapshot(root);
      // The first step.
      assert.ok(runKilled('commit', [root, 'keep'], { call: 'renameat', nth: 1 }));
      assert.deepEqual(snapshot(root), before);
      const work = join(root, STATE, 't');
      const log = join(work, 'log');
      truncateSync(log, Math.floor(statSync(log).size * share));
      for (const name of readdirSync(work)) {
        if (name !== 'log' && Math.random() < 0.5) rmSync(join(work, name), { recursive: true });
      }
      if (share === 0) rmSync(log);
      await recover(root);
      assert.equal(assertWhole(root, before, `${share} of the log`), 'old');
      assert.deepEqual(leavings(root), []);
    });
  }
});

/** What a commit does after its commit record. */
function recorded(root: string): Change[] {
  const calls = ['renameat', 'renameat2', 'fchmod', 'pwrite64', 'fsync', 'fdatasync'];
  const { events, status, stderr } = strace(commandOf('commit', [root, 'keep']), { trace: calls, env });
  assert.equal(status, 0, stderr);
  const isLog = (fd: string) => fd.endsWith('/t/log>');
  const commit = events.findIndex(({ call, args }) => call === 'fdatasync' && isLog(args[0] ?? ''));
  const isAppend = ({ call, args }: { call: string; args: readonly string[] }) =>
    call === 'pwrite64' && isLog(args[0] ?? '');
  let size = events.slice(0, commit).reduce((sum, event) => sum + (isAppend(event) ? event.result : 0), 0);
  // What each directory was called at that moment is told by strace; which it is, by taking the renames back from the end.
  const later = events.slice(commit + 1).filter(({ args, result }) => result === 0 || isLog(args[0] ?? ''));
  const changes: Change[] = [];
  for (const { call, args, result } of later.reverse()) {
    const placed = (fd: number, name: number): Place => ({
      directory: lstatSync(pathIn(args[fd] ?? '')).ino,
      name: JSON.parse(args[name] ?? '""') as string,
    });
    let change: Change;
    if (call.startsWith('renameat')) {
      const exchange = args[4]?.includes('RENAME_EXCHANGE');
      // Read as they are afterwards, when the directories of both sides are the same ones.
      change = { do: exchange ? 'exchange' : 'rename', from: placed(0, 1), to: placed(2, 3) };
    } else if (call === 'fchmod') {
      // By descriptor, which strace tells by the name that the file has; there is one in this commit.
      change = {
        do: 'chmod',
        at: { directory: lstatSync(join(root, 'e')).ino, name: 'z' },
        mode: 0o600,
        before: 0o644,
      };
    } else if (call === 'pwrite64') change = { do: 'log', size: result, before: 0 };
    else if (lstatSync(pathIn(args[0] ?? '')).isFile() && !isLog(args[0] ?? ''))
      continue; // brings its mode, and no name
    else change = { do: 'sync' };
    changes.unshift(change);
    takeBack(root, change.do === 'log' ? { do: 'sync' } : change);
  }
  const sized = changes.map((change): Change => {
    if (change.do !== 'log') return change;
    const grown = { do: 'log' as const, before: size, size: size + change.size };
    size = grown.size;
    return grown;
  });
  for (const change of sized) if (change.do !== 'log') assert.ok(make(root, change), JSON.stringify(change));
  return sized;
}

/** Changes that are not parted by a sync. */
function segmentsOf(changes: readonly Change[]): Change[][] {
  const segments: Change[][] = [[]];
  for (const change of changes) {
    if (change.do !== 'sync') segments.at(-1)?.push(change);
    else if ((segments.at(-1)?.length ?? 0) > 0) segments.push([]);
  }
  return segments.filter((segment) => segment.length > 0);
}

/** All of them where they are few; else none, all, each alone, each but one, and some more. */
function subsetsOf(segment: readonly Change[]): Change[][] {
  const count = 2 ** segment.length;
  const all = Array.from({ length: count }, (_, bits) => bits);
  const near = segment.flatMap((_, at) => [1 << at, count - 1 - (1 << at)]);
  const chosen = count <= SUBSETS ? all : [0, count - 1, ...near, ...shuffled(all).slice(0, SUBSETS)];
  return chosen.map((bits) => segment.filter((_, at) => (bits >> at) & 1));
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => [Math.random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

/** @returns false where it cannot be made yet */
function make(root: string, change: Change): boolean {
  if (change.do === 'chmod') {
    const path = pathOf(root, change.at);
    if (path === undefined || !exists(path)) return false;
    chmodSync(path, change.mode);
  } else if (change.do === 'rename' || change.do === 'exchange') {
    const [from, to] = [pathOf(root, change.from), pathOf(root, change.to)];
    if (from === undefined || to === undefined || !exists(from)) return false;
    if (exists(to) !== (change.do === 'exchange')) return false;
    if (change.do === 'exchange') swap(from, to);
    else renameSync(from, to);
  }
  // The log lies on the disk already: all of it, as that is what a recovery may or may not find.
  return true;
}

function takeBack(root: string, change: Change): void {
  if (change.do === 'chmod') chmodSync(pathOf(root, change.at) as string, change.before);
  else if (change.do === 'rename') {
    renameSync(pathOf(root, change.to) as string, pathOf(root, change.from) as string);
  } else if (change.do === 'exchange') swap(pathOf(root, change.from) as string, pathOf(root, change.to) as string);
  else if (change.do === 'log') truncateSync(join(root, STATE, 't/log'), change.before);
}

function swap(one: string, other: string): void {
  const between = `${one}.between`;
  renameSync(one, between);
  renameSync(other, one);
  renameSync(between, other);
}

function pathOf(root: string, { directory, name }: Place): string | undefined {
  const pending = [root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (lstatSync(path).ino === directory) return join(path, name);
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) pending.push(join(path, entry.name));
    }
  }
  return undefined;
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** `18</path>` */
function pathIn(fd: string): string {
  return fd.slice(fd.indexOf('<') + 1, -1);
}
