// Somebody exchanges names as fast as the kernel can while every verb runs. Nothing outside is read or changed, nothing hangs.
//
//   tree/a/file   what the caller means            outside/file      the sentinel
//   tree/trap     → ../outside                     the flipper       renameat2(RENAME_EXCHANGE), without pause
//
// A red control does the same with node:fs and must leak, or the harness proves nothing.
import assert from 'node:assert/strict';
import { closeSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type DirectoryFd, FsError, type Resolution } from 'dirfd';
import { compiled } from '../fixtures/compile.js';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { flip } from '../fixtures/flipper.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { inside, openDirectory } from '../fixtures/trees/pinned.js';
import { type Forbidden, glimpse, verbs } from './path-verbs.js';
import { opened } from './scratch.js';

expectNoLeaks();

const secret = 'the sentinel outside';
const duration = 1200;
const patience = 3000;

interface Arena {
  readonly tree: string;
  readonly outside: string;
  /** tree/a, whatever its name is at the moment. */
  readonly pinned: number;
}

function arena(t: TestContext): Arena {
  const place = temporaryDirectory(t);
  const [tree, outside] = [join(place, 'tree'), join(place, 'outside')];
  for (const path of [tree, join(tree, 'a'), outside, join(outside, 'sub')]) mkdirSync(path);
  for (const name of ['file', 'sentinel', 'sub/file']) writeFileSync(join(outside, name), secret);
  writeFileSync(join(tree, 'a/file'), 'inside');
  symlinkSync('../outside', join(tree, 'trap'));
  const pinned = openDirectory(join(tree, 'a'));
  t.after(() => closeSync(pinned));
  return { tree, outside, pinned };
}

/** All that an attack could have changed out there: ctime moves with everything. */
function snapshot(outside: string): unknown {
  return readdirSync(outside, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { mode, uid, nlink, size, mtimeNs, ctimeNs, ino } = lstatSync(join(outside, name), { bigint: true });
      return [name, mode, uid, nlink, size, mtimeNs, ctimeNs, ino];
    });
}

/** Rejects after three seconds: nothing here may ever wait for somebody else. */
async function unlessHanging<T>(name: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const watchdog = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} hangs`)), patience);
  });
  return Promise.race([promise, watchdog]).finally(() => clearTimeout(timer));
}

interface Tally {
  done: number;
  refused: number;
}

/** Every verb on every path, round and round, until the time is over. */
async function bombard(
  directory: DirectoryFd,
  paths: readonly string[],
  forbidden: Forbidden,
  repair: () => void,
): Promise<Tally> {
  const tally = { done: 0, refused: 0 };
  const started = Date.now();
  // A busy machine needs longer until both sides have had their turns.
  const goesOn = () => Date.now() < started + (tally.done > 50 && tally.refused > 50 ? duration : 20 * duration);
  while (goesOn()) {
    for (const [name, verb] of Object.entries(verbs)) {
      for (const path of paths) {
        try {
          const value = await unlessHanging(name, Promise.resolve(verb(directory, path)));
          assert.equal(await glimpse(value, forbidden), undefined, name);
          tally.done++;
        } catch (error) {
          if (!(error instanceof FsError)) throw error;
          tally.refused++;
        }
      }
    }
    repair();
  }
  return tally;
}

function everythingIn(directory: string): Forbidden {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const paths = [directory, ...names.map((name) => join(directory, name))];
  const inodes = new Set(paths.map((path) => lstatSync(path, { bigint: true }).ino));
  return { holds: (ino) => inodes.has(ino), name: 'sentinel', secret };
}

for (const resolution of ['no-symlinks', 'beneath', 'in-root'] satisfies Resolution[]) {
  test(`a directory exchanged for a symlink to the outside leads no verb there: ${resolution}`, async (t) => {
    const program = compiled(t, 'flipper');
    if (program === undefined) return;
    const { tree, outside, pinned } = arena(t);
    writeFileSync(join(tree, 'seed'), '');
    const directory = await opened(t, tree, { resolution });
    const before = snapshot(outside);
    const flipper = await flip(program, join(tree, 'a'), join(tree, 'trap'));
    const tally = await bombard(directory, ['a', 'a/file', 'a/./file', 'trap/file'], everythingIn(outside), () => {
      writeFileSync(inside(pinned, 'file'), 'inside');
    }).finally(() => flipper.stop());
    assert.deepEqual(snapshot(outside), before, 'something outside has changed');
    assert.ok(tally.done > 50 && tally.refused > 50, `no race: ${JSON.stringify(tally)}`);
  });
}

test('a file exchanged for a symlink to the sentinel is never followed, nor the sentinel changed', async (t) => {
  const program = compiled(t, 'flipper');
  if (program === undefined) return;
  const { tree, outside } = arena(t);
  writeFileSync(join(tree, 'seed'), '');
  writeFileSync(join(tree, 'x'), 'inside');
  symlinkSync('../outside/file', join(tree, 'x-trap'));
  const directory = await opened(t, tree);
  const before = snapshot(outside);
  const flipper = await flip(program, join(tree, 'x'), join(tree, 'x-trap'));
  const tally = await bombard(directory, ['x'], everythingIn(outside), () => {}).finally(() => flipper.stop());
  assert.deepEqual(snapshot(outside), before, 'the sentinel has changed');
  assert.ok(tally.done > 50 && tally.refused > 50, `no race: ${JSON.stringify(tally)}`);
});

test('a file exchanged for a FIFO blocks nobody', async (t) => {
  const program = compiled(t, 'flipper');
  if (program === undefined) return;
  const { tree, outside } = arena(t);
  const directory = await opened(t, tree);
  writeFileSync(join(tree, 'seed'), '');
  writeFileSync(join(tree, 'x'), 'inside');
  await directory.mkfifo('fifo');
  const flipper = await flip(program, join(tree, 'x'), join(tree, 'fifo'));
  const tally = await bombard(directory, ['x'], everythingIn(outside), () => {}).finally(() => flipper.stop());
  assert.ok(tally.done > 50 && tally.refused > 50, `no race: ${JSON.stringify(tally)}`);
});

test('a tree that is removed while its directories are exchanged for links takes nothing outside with it', async (t) => {
  const program = compiled(t, 'flipper');
  if (program === undefined) return;
  const { tree, outside } = arena(t);
  const directory = await opened(t, tree);
  const before = snapshot(outside);
  for (let round = 0; round < 8; round++) {
    await directory.mkdir('doomed/inner/deep', { recursive: true });
    symlinkSync('../../outside', join(tree, 'doomed/link'));
    for (let i = 0; i < 100; i++) await directory.writeFile(`doomed/inner/${i}`, '');
    const flipper = await flip(program, join(tree, 'doomed/inner'), join(tree, 'doomed/link'));
    const removal = directory.removeTree('doomed', { onError: 'continue' });
    await unlessHanging('removeTree', removal).finally(() => flipper.stop());
    await directory.removeTree('doomed', { force: true });
  }
  assert.deepEqual(snapshot(outside), before, 'something outside was removed');
});

test('a directory swapped for a symlink between stat and open is refused', async (t) => {
  const { tree, outside } = arena(t);
  const directory = await opened(t, tree);
  const seen = await directory.stat('a');
  assert.equal(seen.kind, 'directory');
  await directory.rename('a', 'trap', { exchange: true });
  for (const act of [
    () => directory.openDirectory('a'),
    () => directory.readdir('a'),
    () => directory.readFile('a/file'),
    () => directory.writeFile('a/new', ''),
  ]) {
    await assert.rejects(act, (error: FsError) => ['ENOTDIR', 'ELOOP'].includes(error.code));
  }
  assert.deepEqual(readdirSync(outside).sort(), ['file', 'sentinel', 'sub']);
});

test('red control: node:fs is led outside by the same flipper', async (t) => {
  const program = compiled(t, 'flipper');
  if (program === undefined) return;
  const { tree } = arena(t);
  const flipper = await flip(program, join(tree, 'a'), join(tree, 'trap'));
  let leaked = 0;
  for (const end = Date.now() + 5000; leaked === 0 && Date.now() < end; ) {
    const content = await readFile(join(tree, 'a/file'), 'utf8').catch(() => '');
    if (content === secret) leaked++;
    // Look before you leap does not help: this is the check that people write.
    if (lstatSync(join(tree, 'a')).isDirectory() && readFileSync(join(tree, 'a/file'), 'utf8') === secret) leaked++;
  }
  await flipper.stop();
  assert.ok(leaked > 0, 'the harness is broken: node:fs was not led outside');
});
