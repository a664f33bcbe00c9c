// What a version says of where it came from, and of what it holds besides the content of files.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectoryFd } from 'dirfd';
import { BackupManager } from 'dirfd/backup';
import { run } from '../fixtures/command.js';
import { quickTemporaryRoot, temporaryDirectory } from '../fixtures/temporary.js';

test('what is no content is verified too: links, directories, modes', async (t) => {
  const path = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  mkdirSync(join(path, 'data/deep/empty'), { recursive: true });
  mkdirSync(join(path, 'store'));
  writeFileSync(join(path, 'data/deep/file'), '', { mode: 0o600 });
  symlinkSync('there', join(path, 'data/deep/link'));
  await using directory = await DirectoryFd.open(path);
  await using backups = await BackupManager.open(join(path, 'store'));
  const { id } = await backups.createBackup(directory, 'data');
  const stored = (name: string) => join(path, 'store/versions', id, 'content/deep', name);
  const damages = {
    link: ['changed', () => run('ln', ['-sfn', 'elsewhere', stored('link')])],
    empty: ['missing', () => rmdirSync(stored('empty'))],
    file: ['changed', () => chmodSync(stored('file'), 0o666)],
    more: ['extra', () => mkdirSync(stored('more'))],
  } as const;
  const expected: string[] = [];
  assert.equal((await backups.verify(id)).intact, true);
  for (const [top, part] of [
    ['.', undefined],
    ['deep', 'deep'],
  ] as const) {
    const place = join(path, 'store/versions', id, 'content', top);
    const { mode } = statSync(place);
    chmodSync(place, 0o710);
    assert.deepEqual((await backups.verify(id)).faults, [{ path: top, why: 'changed' }]);
    await assert.rejects(backups.restoreBackup(id, directory, 'new', { path: part }), { name: 'IntegrityError' });
    chmodSync(place, mode & 0o7777);
  }
  for (const [name, [why, damage]] of Object.entries(damages)) {
    damage();
    expected.push(`deep/${name} ${why}`);
    const { faults, intact } = await backups.verify(id);
    assert.deepEqual([intact, faults.map((fault) => `${fault.path} ${fault.why}`).sort()], [false, expected.sort()]);
    await assert.rejects(backups.restoreBackup(id, directory, 'new', { path: 'deep' }), { name: 'IntegrityError' });
  }
  assert.equal(existsSync(join(path, 'new')), false);
  // A manifest that does not say what there was besides files is no damage.
  const manifest = join(path, 'store/versions', id, 'manifest.json');
  const { entries, ...rest } = JSON.parse(readFileSync(manifest, 'utf8').split('\n')[0]!);
  assert.deepEqual(
    entries.map(({ path: name }: { path: string }) => name),
    ['deep', 'deep/empty', 'deep/link'],
  );
  const text = JSON.stringify(rest);
  writeFileSync(manifest, `${text}\n${createHash('sha256').update(text).digest('hex')}\n`);
  assert.equal((await backups.verify(id)).intact, true);
});

test('the top directory of a version has its own metadata back, however the version is stored', async (t) => {
  const path = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  for (const name of ['data', 'data/deep', 'store']) mkdirSync(join(path, name));
  for (const name of ['data/file', 'data/deep/file']) writeFileSync(join(path, name), 'the same line\n'.repeat(2000));
  for (const [name, mode] of [
    ['data/deep', '1770'],
    ['data', '2751'],
  ] as const) {
    run('chmod', [mode, join(path, name)]);
    run('touch', ['-d', '2001-02-03T04:05:06.123456789', join(path, name)]);
  }
  const told = (name: string) => run('stat', ['-c', '%a %u %g %y', join(path, name)]);
  await using directory = await DirectoryFd.open(path);
  await using backups = await BackupManager.open(join(path, 'store'));
  for (const options of [
    {},
    {},
    { compress: 'gzip', share: false },
    { compress: 'gzip' },
    { exclude: ['file'] },
  ] as const) {
    const { id } = await backups.createBackup(directory, 'data', options);
    await backups.restoreBackup(id, directory, 'whole');
    await backups.restoreBackup(id, directory, 'part', { path: 'deep' });
    for (const [restored, was] of [
      ['whole', 'data'],
      ['part', 'data/deep'],
    ] as const) {
      assert.equal(told(restored), told(was), JSON.stringify(options));
    }
  }
});

test('the source is the real path: two directories opened as "." are two, one opened by two paths is one', async (t) => {
  const path = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  mkdirSync(join(path, 'data/deep'), { recursive: true });
  mkdirSync(join(path, 'store'));
  await using backups = await BackupManager.open(join(path, 'store'));
  const before = process.cwd();
  t.after(() => process.chdir(before));
  const sources: string[] = [];
  for (const [at, name] of [
    ['data', '.'],
    ['data/deep', '.'],
    ['.', 'data'],
  ] as const) {
    process.chdir(join(path, at));
    await using directory = await DirectoryFd.open(name);
    sources.push((await backups.createBackup(directory, '.')).source);
  }
  const real = realpathSync(path);
  assert.deepEqual(sources, [`${real}/data`, `${real}/data/deep`, `${real}/data`]);
});
