// FileFd: bytes read and written, holes, ranges copied, streams, locks.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import test from 'node:test';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { isDisabled } from '../fixtures/fallbacks.js';
import { mounted } from '../fixtures/mounts.js';
import { opened, rejects, scratch } from './scratch.js';

expectNoLeaks();

test('read and write use the position of the file, or one that is given', async (t) => {
  const { directory } = await scratch(t);
  await using file = await directory.openFile('file', 'w+');
  assert.deepEqual(await file.write('hello'), { bytesWritten: 5, buffer: 'hello' });
  assert.equal(file.writeSync(' world'), 6);
  await file.write('J', { position: 0 });
  const buffer = Buffer.alloc(8, '.');
  assert.equal((await file.read(buffer, { position: 2, offset: 1, length: 3 })).bytesRead, 3);
  assert.equal(buffer.toString(), '.llo....');
  assert.equal(await file.seek(0), 0);
  assert.equal(file.readSync(buffer), 8);
  assert.equal(buffer.toString(), 'Jello wo');
  assert.equal((await file.read(buffer)).bytesRead, 3);
  assert.equal((await file.read(buffer)).bytesRead, 0, 'the end');
  assert.equal(await file.seek(-1, 'end'), 10);
  assert.equal(await file.seek(1, 'current'), 11);
});

test('a range that the buffer does not have, or a file cannot have, is refused', async (t) => {
  const { directory } = await scratch(t);
  await using file = await directory.openFile('file', 'w+');
  const buffer = Buffer.alloc(4);
  const bad = [
    { offset: -1 },
    { offset: 5 },
    { length: 5 },
    { offset: 2, length: 3 },
    { length: -1 },
    { length: 1.5 },
    { position: -1 },
    { position: 2 ** 53 },
    { position: Number.NaN },
  ];
  for (const options of bad) {
    await rejects(file.read(buffer, options), 'ERR_DIRFD_INVALID_ARGUMENT');
    await rejects(file.write(buffer, options), 'ERR_DIRFD_INVALID_ARGUMENT');
    assert.throws(() => file.readSync(buffer, options), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
  }
  await rejects(file.read('text' as unknown as Buffer), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(file.readv([5 as unknown as Buffer]), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(file.writev('x' as unknown as Buffer[]), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(file.writeFile({} as string), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(file.truncate(-1), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(file.allocate(0, 0), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(file.seek(0, 'start' as 'set'), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(file.seek(-1), 'EINVAL');
  await rejects(file.copyRange({} as typeof file, 1), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(file.linkInto({} as typeof directory, 'x'), 'ERR_DIRFD_INVALID_ARGUMENT');
  assert.equal((await file.stat()).size, 0);
  await using reader = await directory.openFile('file');
  await rejects(reader.write('x'), { code: 'EBADF', syscall: 'write' });
});

test('several buffers in one call', async (t) => {
  const { path, directory } = await scratch(t);
  await using file = await directory.openFile('file', 'w+');
  const written = [Buffer.from('one '), Buffer.alloc(0), Buffer.from('two')];
  assert.equal((await file.writev(written)).bytesWritten, 7);
  await file.writev([Buffer.from('T')], 4);
  assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'one Two');
  const [first, second] = [Buffer.alloc(3), Buffer.alloc(10)];
  assert.equal((await file.readv([first, second], 0)).bytesRead, 7);
  assert.equal(first.toString() + second.toString('utf8', 0, 4), 'one Two');
});

test('whole files are read and written whatever their size', async (t) => {
  const { path, directory } = await scratch(t);
  for (const size of [0, 1, 4095, 4096, 524_287, 524_288, 524_289, 3_000_000, 9_000_000]) {
    const content = randomBytes(size);
    await directory.writeFile('file', content);
    assert.ok(readFileSync(join(path, 'file')).equals(content), `written ${size}`);
    assert.ok((await directory.readFile('file')).equals(content), `read ${size}`);
  }
  await directory.writeFile('text', 'grün', 'latin1');
  assert.equal(await directory.readFile('text', 'latin1'), 'grün');
  assert.equal(lstatSync(join(path, 'text')).size, 4);
  await directory.appendFile('text', '!', { encoding: 'utf8', flush: true });
  assert.equal(await directory.readFile('text', { encoding: 'latin1' }), 'grün!');
  await directory.writeFile('exclusive', '', { flags: 'wx', mode: 0o640 });
  await rejects(directory.writeFile('exclusive', '', { flags: 'wx' }), 'EEXIST');
});

test('a file whose size lies is read to its end', async (t) => {
  const proc = await opened(t, '/proc/self');
  const status = await proc.readFile('status', 'utf8');
  assert.match(status, /^Name:[\s\S]*nonvoluntary_ctxt_switches:/);
  assert.equal((await proc.stat('status')).size, 0);
});

test('truncate, allocate, holes', async (t) => {
  const { path, directory } = await scratch(t);
  await using file = await directory.openFile('file', 'w+');
  await file.truncate(1 << 20);
  assert.equal(statSync(join(path, 'file')).size, 1 << 20);
  await file.write('data', { position: 512 << 10 });
  const data = await file.seekData(0);
  assert.ok(data > 0 && data <= 512 << 10, `data at ${data}`);
  assert.equal(await file.seekHole(0), 0);
  assert.ok((await file.seekHole(512 << 10)) > 512 << 10);
  assert.equal(await file.seekData((1 << 20) - 1), -1, 'no data follows');
  await file.truncate();
  await file.allocate(0, 8192, { keepSize: true });
  assert.equal((await file.stat()).size, 0);
  assert.ok((await file.stat()).blocks >= 16);
  await file.allocate(0, 8192);
  await file.write(Buffer.alloc(8192, 1), { position: 0 });
  await file.allocate(0, 4096, { punchHole: true });
  const [first, last] = [Buffer.alloc(1), Buffer.alloc(1)];
  await file.read(first, { position: 0 });
  await file.read(last, { position: 8191 });
  assert.deepEqual([first[0], last[0]], [0, 1]);
});

test('sizes past 2^31 and 2^32 are exact', async (t) => {
  const { path, directory } = await scratch(t);
  await directory.writeFile('file', '');
  truncateSync(join(path, 'file'), 2 ** 33 + 12_345);
  await using file = await directory.openFile('file', 'r+');
  assert.equal((await file.stat()).size, 2 ** 33 + 12_345);
  await file.write('end', { position: 2 ** 33 + 20_000 });
  const buffer = Buffer.alloc(3);
  await file.read(buffer, { position: 2 ** 33 + 20_000 });
  assert.equal(String(buffer), 'end');
  assert.equal(await file.seek(0, 'end'), 2 ** 33 + 20_003);
});

test('copyRange copies by offsets or positions, with or without the kernel', async (t) => {
  const { path, directory } = await scratch(t);
  const content = randomBytes(1_000_000);
  writeFileSync(join(path, 'source'), content);
  await using source = await directory.openFile('source');
  await using destination = await directory.openFile('destination', 'w+');
  const copied = await source.copyRange(destination, 50_000, { offset: 10, destinationOffset: 5 });
  assert.ok(
    readFileSync(join(path, 'destination'))
      .subarray(5)
      .equals(content.subarray(10, 10 + copied)),
  );
  assert.equal(await source.seek(0, 'current'), 0, 'offsets move no position');
  while ((await source.copyRange(destination, 300_000)) > 0);
  assert.ok(readFileSync(join(path, 'destination')).equals(content));
  assert.equal(await source.copyRange(destination, 1, { offset: 1_000_000 }), 0, 'the end');
  await using reader = await directory.openFile('destination');
  await rejects(source.copyRange(reader, 1, { offset: 0 }), 'EBADF');
});

test('copyRange reaches another file system', async (t) => {
  const { path, directory } = await scratch(t);
  const other = mounted(t, 'tmpfs', { megabytes: 4 });
  if (other === undefined) return;
  const content = randomBytes(700_000);
  writeFileSync(join(path, 'source'), content);
  await using source = await directory.openFile('source');
  await using destination = await (await opened(t, other)).openFile('destination', 'w');
  while ((await source.copyRange(destination, 1 << 20)) > 0);
  assert.ok(readFileSync(join(other, 'destination')).equals(content));
});

test('clone shares extents on btrfs', async (t) => {
  const path = mounted(t, 'btrfs', { megabytes: 160 });
  if (path === undefined) return;
  const directory = await opened(t, path);
  const content = randomBytes(100_000);
  writeFileSync(join(path, 'source'), content);
  await using source = await directory.openFile('source');
  await using destination = await directory.openFile('destination', 'w+');
  const refusal = await source.clone(destination).catch((error) => error);
  if (isDisabled('ficlone')) assert.equal(refusal.code, 'ENOTSUP');
  else assert.ok(readFileSync(join(path, 'destination')).equals(content));
});

test('streams carry the file, close it, and honour a range', async (t) => {
  const { path, directory } = await scratch(t);
  const content = randomBytes(1_000_000);
  const reader = async (name = 'file') => directory.openFile(name);
  await directory.writeFile('file', content);
  const source = await reader();
  const target = await directory.openFile('copy', 'w');
  await pipeline(source.createReadStream({ highWaterMark: 100_000 }), target.createWriteStream({ flush: true }));
  assert.ok(readFileSync(join(path, 'copy')).equals(content));
  assert.deepEqual([source.closed, target.closed], [true, true]);

  await directory.writeFile('text', 'abcdefghij');
  const kept = await reader('text');
  assert.equal(await text(kept.createReadStream({ start: 2, end: 4, autoClose: false })), 'cde');
  assert.equal(await text(kept.createReadStream({ start: 8, autoClose: false, encoding: 'utf8' })), 'ij');
  assert.equal(await text(kept.createReadStream({ autoClose: false })), 'abcdefghij', 'the position has not moved');
  for (const range of [{ start: -1 }, { start: 3, end: 2 }, { end: 1.5 }]) {
    assert.throws(() => kept.createReadStream(range), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
  }
  await kept.close();

  const web = await reader();
  const hash = createHash('sha256');
  for await (const chunk of web.readableWebStream({ autoClose: true })) hash.update(chunk);
  assert.equal(hash.digest('hex'), createHash('sha256').update(content).digest('hex'));
  assert.ok(web.closed);

  const patched = await directory.openFile('text', 'r+');
  await pipeline(['XY'], patched.createWriteStream({ start: 3 }));
  assert.equal(readFileSync(join(path, 'text'), 'utf8'), 'abcXYfghij');
});

test('a stream that fails or is destroyed closes its file', async (t) => {
  const { directory } = await scratch(t);
  await directory.writeFile('file', 'x'.repeat(1_000_000));
  const writeOnly = await directory.openFile('file', 'a');
  await assert.rejects(text(writeOnly.createReadStream()), { code: 'EBADF' });
  assert.ok(writeOnly.closed);
  const early = await directory.openFile('file');
  for await (const _ of early.createReadStream()) break;
  await early.close();
  const aborted = await directory.openFile('file');
  await assert.rejects(text(aborted.createReadStream({ signal: AbortSignal.timeout(1), highWaterMark: 1 })), /abort/i);
  await aborted.close();
  const web = await directory.openFile('file', 'a');
  await assert.rejects(web.readableWebStream({ autoClose: true }).getReader().read(), { code: 'EBADF' });
  assert.ok(web.closed);
});

test('locks are shared or exclusive, whole or by range, and belong to the handle', async (t) => {
  const { directory } = await scratch(t);
  await directory.writeFile('lock', '');
  await using first = await directory.openFile('lock', 'r+');
  await using second = await directory.openFile('lock', 'r+');
  assert.equal(await first.tryLock({ shared: true }), true);
  assert.equal(await second.tryLock({ shared: true }), true);
  assert.equal(await first.tryLock(), false, 'no upgrade while another shares');
  await second.unlock();
  assert.equal(await first.tryLock(), true);
  assert.equal(await second.tryLock({ shared: true }), false);
  await first.unlock();
  assert.equal(await first.tryLock({ start: 0, length: 10 }), true);
  assert.equal(await second.tryLock({ start: 10, length: 10 }), true);
  assert.equal(await second.tryLock({ start: 9, length: 1 }), false);
  const waiting = second.lock({ start: 0 });
  setTimeout(() => first.close(), 20);
  await waiting;
  await using reader = await directory.openFile('lock');
  await rejects(reader.tryLock(), { code: 'EBADF', syscall: 'fcntl' });
  for (const bad of [{ start: -1 }, { length: -1 }, { timeout: -1 }, { timeout: Number.NaN }]) {
    await rejects(second.lock(bad), 'ERR_DIRFD_INVALID_ARGUMENT');
  }
});
