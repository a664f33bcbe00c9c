// Times, exact to the nanosecond, before 1970 and beyond 2038.
import assert from 'node:assert/strict';
import { lstatSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { rejects, scratch } from './scratch.js';

expectNoLeaks();

const moments: readonly bigint[] = [
  0n,
  1n,
  999_999_999n,
  1_700_000_000_123_456_789n,
  2_147_483_648_000_000_001n, // one second beyond 2038's end of 32 bits
  4_294_967_295_999_999_999n,
  -1n, // the nanosecond before 1970
  -1_000_000_000n,
  -1_500_000_000n,
  -1_999_999_999_000_000_001n / 1000n,
  -2_147_483_647_000_000_000n, // 1901, where ext4 begins
];

test('times are kept to the nanosecond', async (t) => {
  const { path, directory } = await scratch(t);
  writeFileSync(join(path, 'file'), '');
  await using file = await directory.openFile('file', 'r+');
  for (const mtimeNs of moments) {
    const atimeNs = mtimeNs + 123n;
    await directory.utimes('file', atimeNs, mtimeNs);
    const byName = await directory.stat('file');
    assert.deepEqual([byName.atimeNs, byName.mtimeNs], [atimeNs, mtimeNs]);
    assert.equal(lstatSync(join(path, 'file'), { bigint: true }).mtimeNs, mtimeNs);
    await file.utimes(mtimeNs, atimeNs);
    const byDescriptor = await file.stat();
    assert.deepEqual([byDescriptor.atimeNs, byDescriptor.mtimeNs], [mtimeNs, atimeNs]);
    directory.utimesSync('file', null, mtimeNs);
    assert.equal(directory.statSync('file').mtimeNs, mtimeNs);
  }
});

test('dates and milliseconds are views of the nanoseconds, rounded to the past', async (t) => {
  const { directory } = await scratch(t);
  await directory.writeFile('file', '');
  await directory.utimes('file', 1_700_000_000_123_999_000n, -1n);
  const stat = await directory.stat('file');
  assert.equal(stat.atime.getTime(), 1_700_000_000_123);
  assert.equal(stat.mtime.getTime(), -1);
  assert.equal(Math.floor(stat.atimeMs), 1_700_000_000_123);
  assert.equal(stat.mtimeMs, -1e-6);
  assert.ok(Math.abs(stat.ctime.getTime() - Date.now()) < 60_000);
  assert.ok(stat.birthtimeNs === 0n || Math.abs(stat.birthtime.getTime() - Date.now()) < 60_000);
});

test('a time may be a bigint, a Date, seconds, now, or left as it is', async (t) => {
  const { directory } = await scratch(t);
  await directory.writeFile('file', '');
  await directory.utimes('file', 5n, 7n);
  await directory.utimes('file', null, 11n);
  const { atimeNs, mtimeNs } = await directory.stat('file');
  assert.deepEqual([atimeNs, mtimeNs], [5n, 11n]);
  await directory.utimes('file', new Date(-1500), 1.5);
  const second = await directory.stat('file');
  assert.deepEqual([second.atimeNs, second.mtimeNs], [-1_500_000_000n, 1_500_000_000n]);
  await directory.utimes('file', -0.25, 'now');
  const third = await directory.stat('file');
  assert.equal(third.atimeNs, -250_000_000n);
  assert.ok(Math.abs(Number(third.mtimeNs / 1_000_000n) - Date.now()) < 60_000);
});

test("a symlink has times of its own, and its target's stay", async (t) => {
  const { path, directory } = await scratch(t);
  await directory.writeFile('file', '');
  symlinkSync('file', join(path, 'link'));
  await directory.utimes('file', 1n, 1n);
  await directory.utimes('link', 2n, 3n);
  assert.equal((await directory.stat('link')).mtimeNs, 3n);
  assert.equal((await directory.stat('file')).mtimeNs, 1n);
});

test('what is no time is refused before anything changes', async (t) => {
  const { directory } = await scratch(t);
  await directory.writeFile('file', '');
  await directory.utimes('file', 1n, 2n);
  const bad = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    new Date(Number.NaN),
    'then',
    {},
    undefined,
    2n ** 93n,
    -(2n ** 93n),
  ];
  for (const time of bad) {
    const { message } = await rejects(directory.utimes('file', 1n, time as bigint), 'ERR_DIRFD_INVALID_ARGUMENT');
    assert.match(message, /mtime/);
  }
  assert.equal((await directory.stat('file')).mtimeNs, 2n);
});
