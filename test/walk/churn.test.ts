// Truth under change: another process makes, removes, renames and swaps entries all the while. The staged forms are in change.test.ts.
//
//   DIRFD_TEST_CHURN_MS   how long, for each way to walk
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { DirectoryFd, type Entry, FsError, type WalkOptions, walk } from 'dirfd';
import { churn, churnedTree } from '../fixtures/churned.js';
import { compiled } from '../fixtures/compile.js';
import { quickTemporaryRoot, temporaryDirectory } from '../fixtures/temporary.js';

const milliseconds = Number(process.env.DIRFD_TEST_CHURN_MS ?? 450);

const ways: WalkOptions[] = [
  { order: 'any' },
  { order: 'any', concurrency: 8, maxOpenDirectories: 24 },
  { order: 'breadth', maxOpenDirectories: 3 },
  { order: 'depth', leave: true },
  { order: 'sorted', maxOpenDirectories: 4 },
  { order: 'any', symlinks: 'follow' },
  { order: 'depth', gitignore: true, filter: () => 'include' },
];

for (const way of ways) {
  test(`a tree in turmoil is walked without duplicate, escape or loss: ${JSON.stringify(way)}`, async (t) => {
    const program = compiled(t, 'churner');
    if (program === undefined) return;
    const { root, stays } = prepared(t);
    const churner = await churn(program, root, ways.indexOf(way) + 1);
    await using directory = await DirectoryFd.open(root);
    const met = { walks: 0, entries: 0, errors: 0, vanished: 0, opened: 0, changed: 0 };
    try {
      const until = performance.now() + milliseconds;
      while (performance.now() < until) await checkedWalk(directory, way, stays, met);
    } finally {
      const changes = await churner.stop();
      t.diagnostic(`${changes} changes: ${JSON.stringify(met)}`);
    }
    assert.ok(met.walks > 0 && met.opened > 0);
  });
}

function prepared(t: TestContext): { root: string; stays: string[] } {
  const place = temporaryDirectory(t, 'dirfd-churn-', quickTemporaryRoot());
  const [root, outside] = [join(place, 'root'), join(place, 'outside')];
  mkdirSync(root);
  mkdirSync(join(outside, 'in'), { recursive: true });
  for (const path of ['secret', 'in/file', 'in/secret']) writeFileSync(join(outside, path), 'SECRET\n');
  return { root, stays: churnedTree(root, outside) };
}

type Met = Record<'walks' | 'entries' | 'errors' | 'vanished' | 'opened' | 'changed', number>;

async function checkedWalk(root: DirectoryFd, way: WalkOptions, stays: readonly string[], met: Met): Promise<void> {
  const seen = new Set<string>();
  const left = new Set<string>();
  const onError = (error: FsError) => {
    met.errors++;
    assert.equal(error.code, 'ERR_DIRFD_CHANGED', String(error));
  };
  const walking = walk(root, { ...way, onError, encoding: 'utf8' });
  for await (const entry of walking) {
    const { path } = entry;
    const reported = entry.event === 'leave' ? left : seen;
    assert.ok(!reported.has(path), `${path} is reported twice`);
    reported.add(path);
    assert.ok(!path.includes('secret'), `${path} lies outside`);
    if (++met.entries % 16 === 0 && entry.event === 'entry' && entry.isFile()) await checkedOpen(entry, met);
  }
  assert.deepEqual(
    stays.filter((path) => !seen.has(path)),
    [],
    'what was there throughout is reported',
  );
  met.walks++;
  met.vanished += walking.statistics.vanished;
}

async function checkedOpen(entry: Entry, met: Met): Promise<void> {
  try {
    await using file = await entry.open();
    const [text, { ino }] = [await file.readFile('utf8'), await file.stat()];
    assert.notEqual(text, 'SECRET\n');
    assert.equal(ino, entry.stat.ino);
    met.opened++;
  } catch (error) {
    assert.ok(error instanceof FsError && ['ERR_DIRFD_CHANGED', 'ENOENT'].includes(error.code), String(error));
    met.changed++;
  }
}
