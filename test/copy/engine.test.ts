// Large files on an io_uring, past the page cache: the same bytes, the same holes, and no byte through this process. And lists of names.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import { capabilities, copyTree, FsError } from 'dirfd';
import { assertSameTree } from '../fixtures/compare.js';
import { compiled } from '../fixtures/compile.js';
import { extentsOf } from '../fixtures/extents.js';
import { countCalls, markCalls } from '../fixtures/strace.js';
import { quickDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { traceScript } from '../fixtures/traced-script.js';
import { assertComplete, pair, pairIn } from './pair.js';

const MiB = 2 ** 20;
const random = randomBytes(6 * MiB);

/** Containers may forbid io_uring; then threads are all there is to test. */
function hasRing(t: TestContext): boolean {
  const ring = capabilities().features.find(({ name }) => name === 'io_uring');
  if (ring?.available) return true;
  t.skip(`no io_uring here: ${ring?.fallback}`);
  return false;
}

test('files of all lengths around its blocks are copied whole', async (t) => {
  if (!hasRing(t)) return;
  const { source, destination, from } = pair(t);
  for (const size of [0, 1, MiB - 1, MiB, MiB + 1, MiB + 4095, 4 * MiB, 4 * MiB + 4096, 5 * MiB + 12345]) {
    writeFileSync(from(`${size}`), random.subarray(0, size));
  }
  assertComplete(await copyTree(source, destination, { engine: 'io_uring', reflink: 'never' }));
  assertSameTree(source, destination);
});

test('holes stay where they are', async (t) => {
  if (!hasRing(t)) return;
  const extents = compiled(t, 'extents');
  if (extents === undefined) return;
  const { source, destination, from, to } = pair(t);
  const file = openSync(from('sparse'), 'w');
  for (const at of [3 * MiB, 16 * MiB, 30 * MiB]) writeSync(file, random, 0, 2 * MiB + 100, at);
  ftruncateSync(file, 40 * MiB);
  closeSync(file);
  assertComplete(await copyTree(source, destination, { engine: 'io_uring', reflink: 'never' }));
  assertSameTree(source, destination);
  assert.deepEqual(extentsOf(extents, to('sparse')), extentsOf(extents, from('sparse')));
});

test('a large file is neither read nor written by a thread, but for its last bytes', (t) => {
  if (!requireTool(t, 'strace') || !hasRing(t)) return;
  const { source, destination, from } = pair(t);
  writeFileSync(from('large'), random);
  const script = `
    import { copyTree } from 'dirfd';
    mark('begin');
    await copyTree(process.argv[1], process.argv[2], { engine: 'io_uring', reflink: 'never' });
    mark('end');
  `;
  const events = traceScript(script, [source, destination], { trace: ['pread64', 'pwrite64', 'fcntl', ...markCalls] });
  const isDirect = events.some(({ call, args }) => call === 'fcntl' && args.some((each) => each.includes('O_DIRECT')));
  if (!isDirect) return t.skip('this file system has no O_DIRECT');
  assert.equal(countCalls(events).get('pwrite64') ?? 0, 0);
});

test('what is stat-ed before anything is copied is stat-ed on the ring, on both sides', (t) => {
  if (!requireTool(t, 'strace') || !hasRing(t)) return;
  const { source, destination, from } = pairIn(quickDirectory(t));
  const files = 300;
  for (let file = 0; file < files; file++) writeFileSync(from(`${file}`), 'content');
  const script = `
    import { copyTree } from 'dirfd';
    await copyTree(process.argv[1], process.argv[2]);
    mark('begin');
    const same = { existing: 'keep', exclude: ['nothing'] };
    await copyTree(process.argv[1], process.argv[2], { ...same, engine: process.argv[3] });
    mark('end');
  `;
  const statx = (engine: string) =>
    countCalls(traceScript(script, [source, destination, engine], { trace: ['statx', ...markCalls] })).get('statx') ??
    0;
  const [byThreads, byRing] = [statx('threads'), statx('io_uring')];
  assert.ok(byThreads >= 2 * files && byRing < files, `${byThreads} statx by threads, ${byRing} beside the ring`);
});

test('an engine that does not exist is refused', async (t) => {
  const { source, destination } = pair(t);
  await assert.rejects(
    async () => await copyTree(source, destination, { engine: 'fibers' as 'auto' }),
    (error) => error instanceof FsError && error.code === 'ERR_DIRFD_INVALID_ARGUMENT' && /fibers/.test(error.message),
  );
});
