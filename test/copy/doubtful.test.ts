// verify, bandwidthLimit and retries: disks that may lie, lines that are shared, failures that pass. What needs faults is in test/crash.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { copyTree, FsError } from 'dirfd';
import { assertSameTree } from '../fixtures/compare.js';
import { everyByte } from '../fixtures/trees/plain.js';
import { plain } from '../fixtures/trees.js';
import { assertComplete, pair } from './pair.js';

test('verify reads back every file, and a copy that is right is complete', async (t) => {
  const { source, destination, from } = pair(t, plain);
  writeFileSync(from('large'), everyByte(700_000));
  assertComplete(await copyTree(source, destination, { verify: true }));
  assertSameTree(source, destination);
});

test('bandwidthLimit holds over all threads, and the bytes are all there', async (t) => {
  const { source, destination, from } = pair(t);
  for (let index = 0; index < 8; index++) writeFileSync(from(`file-${index}`), everyByte(100_000));
  const started = performance.now();
  const report = await copyTree(source, destination, { bandwidthLimit: 1_000_000, reflink: 'never', concurrency: 4 });
  const seconds = (performance.now() - started) / 1000;
  assert.equal(report.bytes, 800_000);
  // The first file goes at once, the others wait.
  assert.ok(seconds > 0.68, `${seconds} s`);
  assertSameTree(source, destination);
});

test('a copy that waits for its bandwidth stops at once when it is asked to', async (t) => {
  const { source, destination, from } = pair(t);
  for (let index = 0; index < 4; index++) writeFileSync(from(`file-${index}`), everyByte(50_000));
  const job = copyTree(source, destination, { bandwidthLimit: 1000, reflink: 'never' });
  setTimeout(() => job.abort(new Error('enough')), 100);
  const started = performance.now();
  await assert.rejects(async () => await job, /enough/);
  assert.ok(performance.now() - started < 5000);
  assert.ok(readdirSync(destination).length <= 1, 'no file in the making is left');
});

test('bandwidthLimit, retries and retryDelay are whole numbers', () => {
  for (const name of ['bandwidthLimit', 'retries', 'retryDelay']) {
    for (const value of [-1, 0.5, Number.NaN]) {
      assert.throws(
        () => copyTree('a', 'b', { [name]: value }),
        (error) =>
          error instanceof FsError && error.code === 'ERR_DIRFD_INVALID_ARGUMENT' && error.message.includes(name),
      );
    }
  }
});
