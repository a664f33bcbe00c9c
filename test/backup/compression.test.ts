// Compressed versions: decoded by gzip and zstd, restored and compared by rsync; shared, damaged, asked of a Node that has no zstd.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import zlib, { gunzipSync, gzipSync } from 'node:zlib';
import { DirectoryFd } from 'dirfd';
import { BackupManager, IntegrityError, VersionError } from 'dirfd/backup';
import { EditedDirectories } from '#dist/backup/edited-directories.js';
import { Packer } from '#dist/backup/pack.js';
import { attempt, run } from '../fixtures/command.js';
import { treeDifferences } from '../fixtures/compare.js';
import { quickTemporaryRoot, temporaryDirectory } from '../fixtures/temporary.js';
import { findTool, requireTool } from '../fixtures/tools.js';

const hasZstd = 'createZstdCompress' in zlib;
const kinds = hasZstd ? (['gzip', 'zstd'] as const) : (['gzip'] as const);

async function place(t: TestContext) {
  const path = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  for (const name of ['data', 'data/deep', 'store']) mkdirSync(join(path, name));
  writeFileSync(join(path, 'data/text'), 'a line of text\n'.repeat(200_000), { mode: 0o640 });
  linkSync(join(path, 'data/text'), join(path, 'data/deep/other name'));
  writeFileSync(Buffer.concat([Buffer.from(`${path}/data/deep/`), Buffer.from([0xff, 0x0a])]), 'odd name'.repeat(5000));
  writeFileSync(join(path, 'data/random'), randomBytes(50_000));
  writeFileSync(join(path, 'data/small'), 'x'.repeat(4096));
  writeFileSync(join(path, 'data/holes'), 'begin');
  truncateSync(join(path, 'data/holes'), 1_000_000);
  run('touch', ['-d', '2001-02-03 04:05:06.789', join(path, 'data/text'), join(path, 'data/deep')]);
  const directory = await DirectoryFd.open(path);
  const backups = await BackupManager.open(join(path, 'store'));
  t.after(async () => {
    await backups.close();
    await directory.close();
  });
  return { path, directory, backups, content: (id: string) => join(path, 'store/versions', id, 'content') };
}

for (const compress of kinds) {
  test(`a version compressed by ${compress} is decoded by its own tool, and restored as it was`, async (t) => {
    const { path, directory, backups, content } = await place(t);
    const version = await backups.createBackup(directory, 'data', { compress });
    const { files } = await backups.get(version.id);
    const packed = files.filter((file) => file.compression).map((file) => file.path);
    assert.deepEqual(packed, ['deep/other name', 'deep/\u{fffd}\n', 'text'], 'what has no hole and saves a block');
    assert.ok(version.storedBytes < version.bytes);
    const { sha256 } = files.find((file) => file.path === 'text')!;
    assert.equal(run('sha256sum', [join(path, 'data/text')]).slice(0, 64), sha256, 'of the content');
    if (findTool(compress)) {
      const decoded = attempt(compress, ['-dc'], { input: readFileSync(join(content(version.id), 'text')) });
      assert.equal(createHash('sha256').update(decoded.stdout).digest('hex'), sha256);
    }
    assert.deepEqual(await backups.verify(version.id), {
      id: version.id,
      intact: true,
      files: 6,
      bytes: version.bytes,
      faults: [],
    });
    await using today = await directory.openDirectory('data');
    assert.deepEqual(await backups.diff(version.id, today), []);
    await backups.restoreBackup(version.id, directory, 'back');
    await backups.restoreBackup(version.id, directory, 'part', { path: 'deep' });
    await backups.restoreBackup(version.id, directory, 'one', { path: 'text' });
    assert.equal(readFileSync(join(path, 'one'), 'utf8'), readFileSync(join(path, 'data/text'), 'utf8'));
    assert.equal(lstatSync(join(path, 'back/holes')).blocks, lstatSync(join(path, 'data/holes')).blocks);
    if (!requireTool(t, 'rsync')) return;
    assert.deepEqual(treeDifferences(join(path, 'data'), join(path, 'back')), []);
    assert.deepEqual(treeDifferences(join(path, 'data/deep'), join(path, 'part')), []);
  });
}

test('unchanged files stay shared in the form in which they are stored, whatever is asked for later', async (t) => {
  const { path, directory, backups, content } = await place(t);
  const inode = (id: string) => lstatSync(join(content(id), 'deep', 'single')).ino;
  writeFileSync(join(path, 'data/deep/single'), 'one of its own\n'.repeat(5000));
  const first = await backups.createBackup(directory, 'data', { compress: 'gzip' });
  for (const options of [{ compress: 'gzip' }, {}, { quick: true }] as const) {
    const next = await backups.createBackup(directory, 'data', options);
    assert.equal(inode(next.id), inode(first.id), JSON.stringify(options));
    assert.deepEqual(await backups.diff(first.id, next.id), []);
    assert.ok((await backups.verify(next.id)).intact);
  }
  const plain = await backups.createBackup(directory, 'data', { share: false });
  for (const options of [{}, { quick: true }]) {
    const next = await backups.createBackup(directory, 'data', { compress: 'gzip', ...options });
    assert.equal(inode(next.id), inode(plain.id), 'what was stored as it is stays so');
    assert.equal(next.storedBytes < next.bytes, true, 'by the text, of two names, which is not shared');
  }
  // A change that keeps size and time is seen, but by `quick`.
  writeFileSync(join(path, 'data/deep/single'), 'ONE of its own\n'.repeat(5000));
  run('touch', ['-r', join(content(first.id), 'deep/single'), join(path, 'data/deep/single')]);
  const changed = await backups.createBackup(directory, 'data');
  const differences = await backups.diff(first.id, changed.id);
  assert.deepEqual(
    differences.map(({ path: name, field }) => `${name} ${field}`),
    ['deep/single content'],
  );
  assert.notEqual(inode(changed.id), inode(first.id));
});

test('damage to a compressed file is found, is not shared with the next version, and fills no memory', async (t) => {
  const { path, directory, backups, content } = await place(t);
  writeFileSync(join(path, 'data/deep/single'), 'one of its own\n'.repeat(5000));
  const { id } = await backups.createBackup(directory, 'data', { compress: 'gzip' });
  const stored = join(content(id), 'deep/single');
  const whole = readFileSync(stored);
  for (const bad of [
    whole.subarray(0, -9),
    Buffer.from('no gzip at all'),
    gzipSync('ONE of its own\n'.repeat(5000)),
    gzipSync(Buffer.alloc(30_000_000)),
  ]) {
    writeFileSync(stored, bad);
    run('touch', ['-r', join(path, 'data/deep/single'), stored]);
    const { intact, faults } = await backups.verify(id);
    assert.deepEqual([intact, faults.map(({ path: name, why }) => `${name} ${why}`)], [false, ['deep/single changed']]);
    await assert.rejects(backups.restoreBackup(id, directory, 'back'), IntegrityError);
    const next = await backups.createBackup(directory, 'data');
    assert.ok((await backups.verify(next.id)).intact);
    await backups.remove(next.id);
  }
  assert.deepEqual(readdirSync(path).sort(), ['data', 'store']);
});

test('what is no compression, or not one of this Node, is refused before anything is made', async (t) => {
  const { path, directory, backups, content } = await place(t);
  await assert.rejects(backups.createBackup(directory, 'data', { compress: 'lzma' as 'gzip' }), {
    code: 'ERR_DIRFD_INVALID_ARGUMENT',
  });
  if (!hasZstd) {
    await assert.rejects(backups.createBackup(directory, 'data', { compress: 'zstd' }), {
      code: 'ERR_DIRFD_UNSUPPORTED',
    });
  }
  assert.deepEqual(readdirSync(join(path, 'store')), []);
  const { id } = await backups.createBackup(directory, 'data', { compress: true });
  const { compression } = (await backups.get(id)).files.find((file) => file.path === 'text')!;
  assert.equal(compression, hasZstd ? 'zstd' : 'gzip');
  if (hasZstd) return;
  // As a later Node would have made it.
  const manifest = join(content(id), '../manifest.json');
  const [text = ''] = readFileSync(manifest, 'utf8').replaceAll('"gzip"', '"zstd"').split('\n');
  writeFileSync(manifest, `${text}\n${createHash('sha256').update(text).digest('hex')}\n`);
  await assert.rejects(backups.verify(id), { code: 'ERR_DIRFD_UNSUPPORTED' });
  await assert.rejects(backups.restoreBackup(id, directory, 'back'), { code: 'ERR_DIRFD_UNSUPPORTED' });
  assert.equal(existsSync(join(path, 'back')), false);
  assert.equal((await backups.verify((await backups.createBackup(directory, 'data')).id)).intact, true);
});

test('an abort while files are compressed leaves nothing in the store', async (t) => {
  const { path, directory, backups } = await place(t);
  writeFileSync(join(path, 'data/long'), Buffer.alloc(60_000_000, 'not so soon done'));
  const reason = new Error('enough');
  const stop = new AbortController();
  let ended = false;
  const made = backups.createBackup(directory, 'data', { compress: 'gzip', signal: stop.signal }).finally(() => {
    ended = true;
  });
  const isPacking = () => readdirSync(join(path, 'store')).length > 0;
  while (!ended && !isPacking()) await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setTimeout(resolve, 50));
  stop.abort(reason);
  await assert.rejects(made, reason);
  assert.deepEqual(readdirSync(join(path, 'store/versions')), []);
});

test('directories that their owner may not write to are versioned, put back and pruned', async (t) => {
  const { path, directory, backups } = await place(t);
  for (const name of ['data/deep', 'data']) chmodSync(join(path, name), 0o555);
  for (const options of [{}, {}, { compress: 'gzip', share: false }] as const) {
    const { id } = await backups.createBackup(directory, 'data', options);
    // The second time, what the first has put there is removed.
    for (let i = 0; i < 2; i++) await backups.restoreBackup(id, directory, 'back');
    assert.equal(lstatSync(join(path, 'back/deep')).mode & 0o777, 0o555);
    assert.equal(lstatSync(join(path, 'back/deep')).mtimeMs, lstatSync(join(path, 'data/deep')).mtimeMs);
  }
  assert.equal((await backups.prune({ count: 1 })).removed.length, 2);
  assert.deepEqual(readdirSync(path).sort(), ['back', 'data', 'store']);
  assert.equal(readdirSync(join(path, 'store/versions')).length, 1);
});

test('a part is checked and decompressed however it is written, and what the manifest does not know is no part', async (t) => {
  const { path, directory, backups, content } = await place(t);
  const { id } = await backups.createBackup(directory, 'data', { compress: 'gzip' });
  const text = readFileSync(join(path, 'data/text'), 'utf8');
  for (const part of ['.', './', './/.', Buffer.from('./')]) {
    await backups.restoreBackup(id, directory, 'back', { path: part });
    assert.equal(readFileSync(join(path, 'back/text'), 'utf8'), text, String(part));
  }
  for (const part of ['deep/', './deep', 'deep//.']) {
    await backups.restoreBackup(id, directory, 'back', { path: part });
    assert.equal(readFileSync(join(path, 'back/other name'), 'utf8'), text, part);
  }
  await backups.restoreBackup(id, directory, 'one', { path: './/text' });
  assert.equal(readFileSync(join(path, 'one'), 'utf8'), text);
  writeFileSync(join(content(id), 'deep/added'), 'by somebody else');
  for (const part of ['text/', 'deep/added', 'deep/none/']) {
    await assert.rejects(backups.restoreBackup(id, directory, 'back', { path: part }), VersionError, part);
  }
  writeFileSync(join(content(id), 'deep/other name'), 'damaged');
  for (const part of ['.', 'deep/', './deep/other name']) {
    await assert.rejects(backups.restoreBackup(id, directory, 'back', { path: part }), IntegrityError, part);
  }
  assert.equal(readFileSync(join(path, 'back/other name'), 'utf8'), text);
  assert.equal((await backups.createBackup(directory, './/data/')).parent, id, 'a source has one name');
});

test('names of one file stay so, whenever the walk has looked at them', async (t) => {
  const path = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  for (const name of ['content', 'spare']) mkdirSync(join(path, name));
  writeFileSync(join(path, 'content/first'), 'a line of text\n'.repeat(5000));
  for (const name of ['second', 'third']) linkSync(join(path, 'content/first'), join(path, 'content', name));
  await using content = await DirectoryFd.open(join(path, 'content'));
  await using spare = await DirectoryFd.open(join(path, 'spare'));
  const edited = new EditedDirectories(content);
  const packer = new Packer(content, spare, edited, {
    ...{ known: new Map(), shared: new Set(), compression: 'gzip', signal: undefined },
  });
  for (const name of ['first', 'second', 'third']) {
    // Only now: the names before have a file of their own already.
    const stat = await content.stat(name);
    await packer.pack({ path: name, pathBytes: Buffer.from(name), stat });
  }
  await edited.leave();
  const found = ['first', 'second', 'third'].map((name) => lstatSync(join(path, 'content', name)));
  assert.deepEqual([new Set(found.map(({ ino }) => ino)).size, found[0]?.nlink], [1, 3]);
});

test('a compressed file of the version before that cannot be read is stored anew', async (t) => {
  const { path, directory, backups, content } = await place(t);
  writeFileSync(join(path, 'data/deep/single'), 'one of its own\n'.repeat(5000));
  const { id } = await backups.createBackup(directory, 'data', { compress: 'gzip' });
  const openFile = DirectoryFd.prototype.openFile;
  const failing = t.mock.method(
    DirectoryFd.prototype,
    'openFile',
    async function (this: DirectoryFd, name: string, ...how: [string]) {
      const isIt = this.path.includes(`/${id}/`) && String(name) === 'deep/single';
      return isIt ? await directory.openFile('none', 'r') : await openFile.call(this, name, ...how);
    },
  );
  const next = await backups.createBackup(directory, 'data');
  assert.ok(failing.mock.callCount() > 0);
  failing.mock.restore();
  assert.equal((await backups.verify(next.id)).intact, true);
  const inode = (version: string) => lstatSync(join(content(version), 'deep/single')).ino;
  assert.notEqual(inode(next.id), inode(id));
});

test('a compression that only a later dirfd knows is told as that, and not as damage', async (t) => {
  const { path, directory, backups, content } = await place(t);
  const { id } = await backups.createBackup(directory, 'data', { compress: 'gzip' });
  const manifest = join(content(id), '../manifest.json');
  const [text = ''] = readFileSync(manifest, 'utf8').replaceAll('"gzip"', '"lzma"').split('\n');
  writeFileSync(manifest, `${text}\n${createHash('sha256').update(text).digest('hex')}\n`);
  const told = { code: 'ERR_DIRFD_UNSUPPORTED', message: /compressed by 'lzma', which this dirfd does not know/ };
  await assert.rejects(backups.verify(id), told);
  await assert.rejects(backups.restoreBackup(id, directory, 'back'), told);
  assert.deepEqual(readdirSync(path).sort(), ['data', 'store']);
});

test('a compressed file that is not what was backed up keeps a tree from being restored, whatever has become of it', async (t) => {
  const path = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  for (const name of ['store', 'data', 'data/deep']) mkdirSync(join(path, name));
  for (const name of ['a', 'deep/b']) writeFileSync(join(path, 'data', name), `${name}\n`.repeat(9000));
  await using directory = await DirectoryFd.open(path);
  await using backups = await BackupManager.open(join(path, 'store'));
  const { id } = await backups.createBackup(directory, 'data', { compress: 'gzip' });
  const stored = (name: string) => join(path, 'store/versions', id, 'content', name);
  const away = join(path, 'away');
  const damages: Readonly<Record<string, () => void>> = {
    missing: () => {},
    'another name of another file': () => linkSync(stored('a'), stored('deep/b')),
    'a symlink': () => symlinkSync('../a', stored('deep/b')),
    'the content of another': () => copyFileSync(stored('a'), stored('deep/b')),
    'cut off': () => writeFileSync(stored('deep/b'), readFileSync(away).subarray(0, 30)),
    'not compressed': () => writeFileSync(stored('deep/b'), gunzipSync(readFileSync(away))),
  };
  renameSync(stored('deep/b'), away);
  for (const [what, damage] of Object.entries(damages)) {
    damage();
    assert.equal((await backups.verify(id)).intact, false, what);
    for (const part of [undefined, 'deep', 'deep/b']) {
      const restored = backups.restoreBackup(id, directory, 'restored', { path: part });
      await assert.rejects(restored, IntegrityError, `${what}, ${part}`);
    }
    assert.deepEqual(readdirSync(path).sort(), ['away', 'data', 'store'], what);
    rmSync(stored('deep/b'), { force: true });
  }
  renameSync(away, stored('deep/b'));
  await backups.restoreBackup(id, directory, 'restored');
  run('diff', ['-r', join(path, 'data'), join(path, 'restored')]);
});
