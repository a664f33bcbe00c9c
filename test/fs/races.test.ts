// Directories and symlinks exchanged all the while dirfd/fs copies: nothing from outside comes in, nothing outside is changed.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cp as nodeCp } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copy, cp } from 'dirfd/fs';
import { compiled } from '../fixtures/compile.js';
import { flip } from '../fixtures/flipper.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { makeTree } from './tree-lines.js';

const milliseconds = Number(process.env.DIRFD_TEST_FLIP_MS ?? 700);

/** Runs `once` for a while under the exchange of two names, or until it answers true. Failures are what an attack may cause. */
async function underExchange(t: TestContext, a: string, b: string, once: () => Promise<boolean>): Promise<boolean> {
  const program = compiled(t, 'flipper');
  if (program === undefined) return true;
  const flipper = await flip(program, a, b);
  const end = performance.now() + milliseconds;
  let [runs, stopped] = [0, false];
  while (!stopped && (performance.now() < end || runs < 3)) {
    stopped = await once();
    runs++;
  }
  const exchanges = await flipper.stop();
  assert.ok(exchanges > 0, 'the names were not exchanged: the harness is broken');
  return stopped;
}

type Copy = (src: string, dest: string, options: object) => Promise<void>;

/** A tree in which d becomes a link to the outside and back. Whether the secret has come into a copy. */
async function leaks(t: TestContext, call: Copy): Promise<boolean> {
  const root = temporaryDirectory(t);
  makeTree(root, ['outside/file = SECRET', 'src/d/file = x', 'src/d-link -> ../outside']);
  return await underExchange(t, join(root, 'src/d'), join(root, 'src/d-link'), async () => {
    rmSync(join(root, 'dest'), { recursive: true, force: true });
    await call(join(root, 'src'), join(root, 'dest'), { recursive: true }).catch(() => {});
    const names = ['d/file', 'd-link/file'].map((name) => join(root, 'dest', name));
    return names.some((name) => readUnlinked(name) === 'SECRET');
  });
}

/** What a file holds that lies in a directory, not behind a link. */
function readUnlinked(path: string): string | undefined {
  try {
    return lstatSync(join(path, '..')).isDirectory() ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

test('source: cp and copy never read what lies outside; fs.promises.cp does, in the same harness', async (t) => {
  assert.equal(await leaks(t, cp), false);
  assert.equal(await leaks(t, (src, dest) => copy(src, dest)), false);
  if (!(await leaks(t, nodeCp))) t.diagnostic('fs.promises.cp was lucky this time');
});

test('destination: cp never writes outside', async (t) => {
  const root = temporaryDirectory(t);
  makeTree(root, ['outside/', 'src/d/file = x', 'dest/d/', 'dest/d-link -> ../outside']);
  const wrote = await underExchange(t, join(root, 'dest/d'), join(root, 'dest/d-link'), async () => {
    await cp(join(root, 'src'), join(root, 'dest'), { recursive: true }).catch(() => {});
    return readdirSync(join(root, 'outside')).length > 0;
  });
  assert.equal(wrote, false);
});
