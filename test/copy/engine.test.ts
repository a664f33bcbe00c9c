// Large files on an io_uring, past the page cache: the same bytes, the same holes, and no byte through this process. And lists of names, and
// small files many at a time.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { release } from 'node:os';
import test, { type TestContext } from 'node:test';
import { type CopyOptions, capabilities, copyTree, FsError } from 'dirfd';
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

/** How many pwrite(2) of the content a copy of one large file makes; undefined where the file system has no O_DIRECT. */
function writesByThreads(source: string, destination: string, options: CopyOptions): number | undefined {
  const script = `
    import { copyTree } from 'dirfd';
    const [source, destination, options] = process.argv.slice(1);
    mark('begin');
    await copyTree(source, destination, { reflink: 'never', ...JSON.parse(options) });
    mark('end');
  `;
  const trace = ['pread64', 'pwrite64', 'fcntl', 'copy_file_range', ...markCalls];
  const events = traceScript(script, [source, destination, JSON.stringify(options)], { trace });
  const isDirect = events.some(({ call, args }) => call === 'fcntl' && args.some((each) => each.includes('O_DIRECT')));
  const writes = countCalls(events).get('pwrite64') ?? 0;
  return isDirect || writes > 0 ? writes : undefined;
}

test('a large file is neither read nor written by a thread, but for its last bytes', (t) => {
  if (!requireTool(t, 'strace') || !hasRing(t)) return;
  const { source, destination, from } = pair(t);
  writeFileSync(from('large'), random);
  const writes = writesByThreads(source, destination, { engine: 'io_uring' });
  if (writes === undefined) return t.skip('this file system has no O_DIRECT');
  assert.equal(writes, 0);
});

test('by itself a copy takes the ring where it has to wait for the disk, and only for what is not cached', (t) => {
  if (!requireTool(t, 'strace') || !hasRing(t) || !tellsWhatIsCached(t)) return;
  const { source, destination, from } = pair(t);
  const file = from('large');
  writeFileSync(file, random);
  const durable = { engine: 'auto', fsync: 'end' } as const;
  assert.notEqual(writesByThreads(source, `${destination}-cached`, durable) ?? 1, 0);
  forget(file);
  if (cached(file) > 0) return t.skip('this file system keeps all of it in memory');
  assert.notEqual(writesByThreads(source, `${destination}-not-durable`, { engine: 'auto' }) ?? 1, 0);
  forget(file);
  const writes = writesByThreads(source, `${destination}-cold`, durable);
  if (writes === undefined) return t.skip('this file system has no O_DIRECT');
  assert.equal(writes, 0);
});

/** cachestat(2) is there from Linux 6.5 on. */
function tellsWhatIsCached(t: TestContext): boolean {
  const [major, minor] = release().split('.').map(Number) as [number, number];
  if (major > 6 || (major === 6 && minor >= 5)) return requireTool(t, 'fincore') && requireTool(t, 'dd');
  t.skip('this kernel does not tell what is cached');
  return false;
}

/** Writes the file out and drops it from the page cache (posix_fadvise(2)). */
function forget(file: string): void {
  const open = openSync(file, 'r+');
  fsyncSync(open);
  closeSync(open);
  execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);
}

/** Bytes of it in the page cache. */
function cached(file: string): number {
  return Number(execFileSync('fincore', ['--bytes', '--noheadings', '--output', 'RES', file], { encoding: 'utf8' }));
}

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

test('small files that were stat-ed are opened, read, looked at and closed on the ring, whatever they hold', (t) => {
  if (!requireTool(t, 'strace') || !hasRing(t)) return;
  const { source, destination, from } = pairIn(quickDirectory(t));
  const files = 50;
  for (let file = 0; file < files; file++) writeFileSync(from(`${file}`), random.subarray(0, file * 1000));
  const script = `
    import { copyTree } from 'dirfd';
    mark('begin');
    await copyTree(process.argv[1], process.argv[2], { accessTimes: true, reflink: 'never', engine: process.argv[3] });
    mark('end');
  `;
  const reads = (engine: string) => {
    const copy = `${destination}-${engine}`;
    const events = traceScript(script, [source, copy, engine], { trace: ['pread64', ...markCalls] });
    assertSameTree(source, copy);
    return countCalls(events).get('pread64') ?? 0;
  };
  const [byThreads, byRing] = [reads('threads'), reads('io_uring')];
  assert.ok(byThreads >= files && byRing === 0, `${byThreads} reads by threads, ${byRing} beside the ring`);
});

test('an engine that does not exist is refused', async (t) => {
  const { source, destination } = pair(t);
  await assert.rejects(
    async () => await copyTree(source, destination, { engine: 'fibers' as 'auto' }),
    (error) => error instanceof FsError && error.code === 'ERR_DIRFD_INVALID_ARGUMENT' && /fibers/.test(error.message),
  );
});
