// atomic: the destination is the old tree until it is the new one, and never anything in between.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CopyOptions, copyTree, DirectoryFd, FsError } from 'dirfd';
import { assertSameTree } from '../fixtures/compare.js';
import { inventory } from '../fixtures/inventory.js';
import { plain } from '../fixtures/trees.js';
import { assertComplete, pair } from './pair.js';

async function failure(failing: PromiseLike<unknown>): Promise<FsError> {
  try {
    await failing;
  } catch (error) {
    assert.ok(error instanceof FsError, `${error}`);
    return error;
  }
  assert.fail('it did not fail');
}

test('atomic: a directory that was not there is there at once, and nothing else is left beside it', async (t) => {
  const { base, source, destination } = pair(t, plain);
  const job = copyTree(source, destination, { atomic: true, itemize: true });
  for await (const event of job) {
    assert.equal(event.type, 'entry');
    assert.equal(existsSync(destination), false, 'not there before all of it is');
  }
  assertComplete(await job);
  assertSameTree(source, destination);
  assert.deepEqual(readdirSync(base).sort(), ['destination', 'source']);
});

test('atomic: a directory that is there is replaced whole, where delete allows it', async (t) => {
  const { base, source, destination, to } = pair(t, plain);
  mkdirSync(join(destination, 'old', 'deep'), { recursive: true });
  writeFileSync(to('old', 'deep', 'file'), 'old');
  const before = lstatSync(destination).ino;
  const refused = await failure(copyTree(source, destination, { atomic: true }));
  assert.deepEqual([refused.code, /delete/.test(refused.message)], ['ERR_DIRFD_INVALID_ARGUMENT', true]);
  assert.equal(readFileSync(to('old', 'deep', 'file'), 'utf8'), 'old');

  for (const fsync of ['none', 'end'] as const) {
    assertComplete(await copyTree(source, destination, { atomic: true, delete: true, update: true, fsync }));
    assertSameTree(source, destination);
    assert.notEqual(lstatSync(destination).ino, before);
    assert.deepEqual(readdirSync(base).sort(), ['destination', 'source']);
  }
});

test('atomic: after a failure or an abort nothing has changed', async (t) => {
  const { base, source, destination, to } = pair(t, plain);
  mkdirSync(destination);
  writeFileSync(to('old'), 'old');
  const before = inventory(destination);
  const options: CopyOptions = { atomic: true, delete: true };

  const aborted = copyTree(source, destination, { ...options, bandwidthLimit: 1, reflink: 'never' });
  setTimeout(() => aborted.abort(new Error('enough')), 50);
  await assert.rejects(async () => await aborted, /enough/);
  assert.deepEqual(inventory(destination), before);
  assert.deepEqual(readdirSync(base).sort(), ['destination', 'source']);
});

test('atomic: what it cannot replace is refused before anything is made', async (t) => {
  const { base, source, destination } = pair(t, plain);
  mkdirSync(destination);
  symlinkSync(destination, join(base, 'link'));
  writeFileSync(join(base, 'file'), '');
  const before = readdirSync(base).sort();
  const all = { atomic: true, delete: true } as const;
  await using held = await DirectoryFd.open(destination);
  const refused: [Promise<unknown> | PromiseLike<unknown>, RegExp][] = [
    [copyTree(source, held, all), /held/],
    [copyTree(source, join(base, 'link'), all), /symlink/],
    [copyTree(source, join(base, 'file'), all), /file/],
    [copyTree(source, `${destination}/.`, all), /name/],
    [copyTree(source, join(source, 'inside'), all), /inside/],
    [copyTree(source, base, all), /inside/],
    [copyTree(source, destination, { ...all, existing: 'keep' }), /existing/],
    [copyTree(source, destination, { ...all, exclude: ['x'] }), /deleteExcluded/],
    [copyTree(source, destination, { ...all, maxDelete: 1000 }), /maxDelete/],
    [copyTree(source, destination, { ...all, maxDelete: 1000, dryRun: true }), /maxDelete/],
  ];
  for (const [job, why] of refused) {
    const error = await failure(job);
    assert.deepEqual([error.code, why.test(error.message)], ['ERR_DIRFD_INVALID_ARGUMENT', true], error.message);
  }
  assert.throws(() => copyTree(source, destination, { ...all, resume: true }), /resume/);
  assert.throws(() => copyTree(source, destination, { ...all, flags: true }), /immutable/);
  assert.deepEqual(readdirSync(base).sort(), before);
});

test('atomic: in a set-group-ID directory nothing is left either, of a copy or of a killed one', async (t) => {
  const { base, source, destination } = pair(t, plain);
  chmodSync(base, 0o2700);
  const abandoned = join(base, `.dirfd-${'e'.repeat(32)}`);
  mkdirSync(join(abandoned, 'tree'), { recursive: true, mode: 0o700 });
  chmodSync(abandoned, 0o2700);
  for (let run = 0; run < 2; run++) {
    assertComplete(await copyTree(source, destination, { atomic: true, delete: true }));
    assert.deepEqual(readdirSync(base).sort(), ['destination', 'source']);
  }
});

test('atomic: the mode of the new root is the one of the source, also where its owner may not write', async (t) => {
  const { source, destination } = pair(t, plain);
  chmodSync(source, 0o555);
  assertComplete(await copyTree(source, destination, { atomic: true }));
  assert.equal(lstatSync(destination).mode & 0o7777, 0o555);
  assertComplete(await copyTree(source, destination, { atomic: true, delete: true }));
  chmodSync(source, 0o755);
  chmodSync(destination, 0o755);
});

test('atomic: what a killed copy has left is removed, what a living one works in is not, nor what only looks like it', async (t) => {
  const { base, source, destination } = pair(t, plain);
  const name = (digit: string): string => join(base, `.dirfd-${digit.repeat(32)}`);
  for (const digit of ['a', 'b', 'c', 'd']) mkdirSync(name(digit), { mode: 0o700 });
  mkdirSync(join(name('a'), 'tree', 'half'), { recursive: true });
  writeFileSync(join(name('a'), 'tree', 'half', 'file'), '');
  writeFileSync(join(name('b'), '0'), '');
  // Somebody's own: another content, another mode.
  writeFileSync(join(name('c'), 'diary'), '');
  chmodSync(name('d'), 0o755);
  const living = copyTree(source, `${destination}-slow`, { atomic: true, bandwidthLimit: 1, reflink: 'never' });
  let slow: string | undefined;
  while (slow === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    slow = readdirSync(base).find((entry) => /^\.dirfd-/.test(entry) && !/^\.dirfd-(.)\1{31}$/.test(entry));
  }
  while (!existsSync(join(base, slow, 'tree'))) await new Promise((resolve) => setTimeout(resolve, 5));
  assertComplete(await copyTree(source, destination, { atomic: true }));
  const left = readdirSync(base).filter((entry) => entry.startsWith('.dirfd-'));
  assert.deepEqual(left.sort(), [slow, `.dirfd-${'c'.repeat(32)}`, `.dirfd-${'d'.repeat(32)}`].sort());
  living.abort(new Error('enough'));
  await assert.rejects(async () => await living, /enough/);
  assert.equal(existsSync(join(base, slow)), false);
});
