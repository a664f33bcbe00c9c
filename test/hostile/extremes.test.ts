// Trees as deep and directories as wide as somebody may make them. DIRFD_TEST_DEPTH and DIRFD_TEST_WIDTH make them larger.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyTree, removeTree, verifyTree, walk } from 'dirfd';
import { assertComplete } from '../copy/pair.js';
import { attempt, run } from '../fixtures/command.js';
import { quickTemporaryRoot, temporaryDirectory } from '../fixtures/temporary.js';
import { inside, withDirectory } from '../fixtures/trees/pinned.js';
import { deep } from '../fixtures/trees.js';

const depth = Number(process.env.DIRFD_TEST_DEPTH ?? 10_000);
const width = Number(process.env.DIRFD_TEST_WIDTH ?? 20_000);

/** What an operation may take whatever the tree, and for each file of a single directory, in bytes: names have to be held to be sorted and compared. */
const [MOST_MEMORY, BYTES_A_FILE] = [108 * 2 ** 20, 600];

// What takes the square of the depth does not come to its end in time.
const timeout = 60_000 * Math.max(1, depth / 10_000);

test(`a chain of ${depth} directories is copied, compared and removed`, { timeout }, async (t) => {
  const base = temporaryDirectory(t, 'dirfd-deep-', quickTemporaryRoot());
  const [source, copy] = [join(base, 'source'), join(base, 'copy')];
  mkdirSync(source);
  deep(source, depth, 6);
  const report = await copyTree(source, copy);
  assertComplete(report);
  assert.deepEqual([report.directories, report.files], [depth, 1]);
  const { same, entries } = await verifyTree(source, copy);
  assert.ok(same && entries > depth, `${entries} entries`);
  const { files, updated, deleted } = await copyTree(source, copy, { update: true, delete: true });
  assert.deepEqual([files, updated, deleted], [0, 0, 0]);
  for (const tree of [source, copy]) assert.equal((await removeTree(tree)).entries, depth + 2);
  assert.deepEqual(readdirSync(base), []);
});

test(`a directory of ${width} files is walked, copied, compared, mirrored and removed, in little memory`, async (t) => {
  const base = temporaryDirectory(t, 'dirfd-wide-', quickTemporaryRoot());
  const [source, copy] = [join(base, 'source'), join(base, 'copy')];
  mkdirSync(source);
  withDirectory(source, (fd) => {
    for (let index = 0; index < width; index++) closeSync(openSync(inside(fd, `file-${index}`), 'w'));
  });
  /** Does it, and holds the memory that this took against what is allowed. */
  const measured = async <T>(what: string, work: () => PromiseLike<T>): Promise<T> => {
    const before = residentNow();
    const [began, result] = [performance.now(), await work()];
    const grown = residentMost() - before;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    t.diagnostic(`${what}: ${seconds} s, ${(grown / 2 ** 20).toFixed(0)} MiB`);
    assert.ok(grown < MOST_MEMORY + width * BYTES_A_FILE, `${what} has taken ${grown} bytes`);
    return result;
  };

  let walked = 0;
  await measured('walk', async () => {
    for await (const { name } of walk(source)) if (/^file-\d+$/.test(name)) walked++;
  });
  assert.equal(walked, width);
  const report = await measured('copy', () => copyTree(source, copy));
  assertComplete(report);
  assert.equal(report.files, width);
  assert.equal(readdirSync(copy).length, width);
  assert.ok((await measured('compare', () => verifyTree(source, copy))).same);

  const mirror = { update: true, delete: true } as const;
  const again = await measured('mirror, nothing to do', () => copyTree(source, copy, mirror));
  assertComplete(again);
  assert.deepEqual([again.files, again.deleted], [0, 0]);
  const few = join(base, 'few');
  mkdirSync(few);
  for (const name of ['file-0', 'another']) writeFileSync(join(few, name), 'content');
  const mirrored = await measured('mirror, all but one deleted', () => copyTree(few, copy, mirror));
  assertComplete(mirrored);
  assert.deepEqual([mirrored.files, mirrored.deleted], [2, width - 1]);
  assert.deepEqual(readdirSync(copy).sort(), ['another', 'file-0']);
  assert.equal((await measured('remove', () => removeTree(source))).entries, width + 1);
});

test('a file of nearly 2^63 bytes, all but two of them a hole, is copied, compared and updated', {
  timeout: 20_000,
}, async (t) => {
  const base = temporaryDirectory(t, 'dirfd-huge-', quickTemporaryRoot());
  // tmpfs finds no data at all in a file of more.
  const [source, size] = [join(base, 'source'), 2n ** 63n - 4096n];
  mkdirSync(source);
  const file = join(source, 'file');
  if (attempt('truncate', ['-s', String(size), file]).status !== 0)
    return t.skip('needs a file system with such files');
  const last = ['bs=1', `seek=${size - 1n}`, 'conv=notrunc', 'status=none'];
  for (const where of [['conv=notrunc', 'status=none'], last]) run('dd', [`of=${file}`, ...where], { input: '!' });
  for (const options of [{}, { sparse: 'always' }, { verify: true }, { reflink: 'never' }] as const) {
    const copy = join(base, `copy-${Object.keys(options)}`);
    assertComplete(await copyTree(source, copy, options));
    assert.equal(statSync(join(copy, 'file'), { bigint: true }).size, size);
    const tail = run('dd', [`if=${join(copy, 'file')}`, 'bs=1', 'count=2', `skip=${size - 2n}`, 'status=none']);
    assert.deepEqual([tail, run('head', ['-c', '2', join(copy, 'file')])], ['\0!', '!\0']);
    assert.ok((await verifyTree(source, copy)).same);
    run('dd', [`of=${join(copy, 'file')}`, ...last], { input: '?' });
    const { differences } = await verifyTree(source, copy, { times: false });
    assert.deepEqual(
      differences.map(({ path, field }) => [path, field]),
      [['file', 'content']],
    );
    const { files, updated } = await copyTree(source, copy, { update: true, checksum: true });
    assert.equal(files + updated, 1);
    assert.ok((await verifyTree(source, copy)).same);
  }
});

/** What the resident memory of this process is, and from now on the most it has been; in bytes. */
function residentNow(): number {
  globalThis.gc?.();
  writeFileSync('/proc/self/clear_refs', '5');
  return memory('VmRSS');
}

function residentMost(): number {
  return memory('VmHWM');
}

/** From proc_pid_status(5), which counts in kibibytes. */
function memory(field: string): number {
  const line = readFileSync('/proc/self/status', 'utf8').match(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm'));
  return Number(line?.[1]) * 1024;
}
