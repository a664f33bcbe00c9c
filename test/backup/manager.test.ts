// BackupManager: versions against rsync and sha256sum; sharing, damage, restores, retention, crashes.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { DirectoryFd, FsError, verifyTree } from 'dirfd';
import { BackupError, BackupManager, IntegrityError, RecoveryError, RecoveryManager, VersionError } from 'dirfd/backup';
import { FileLock } from 'dirfd/lock';
import { keptBy } from '#dist/backup/retention.js';
import { attempt, run } from '../fixtures/command.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { quickTemporaryRoot, temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';

async function place(t: TestContext) {
  const path = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  mkdirSync(join(path, 'data/deep'), { recursive: true });
  writeFileSync(join(path, 'data/a'), 'first');
  writeFileSync(join(path, 'data/same'), 'unchanged'.repeat(1000));
  writeFileSync(join(path, 'data/deep/b'), 'below', { mode: 0o640 });
  writeFileSync(Buffer.concat([Buffer.from(`${path}/data/`), Buffer.from([0xff, 0x0a])]), 'odd name');
  symlinkSync('/etc/passwd', join(path, 'data/link'));
  mkdirSync(join(path, 'store'));
  const directory = await DirectoryFd.open(path);
  const backups = await BackupManager.open(join(path, 'store'));
  t.after(async () => {
    await backups.close();
    await directory.close();
  });
  return { path, directory, backups };
}

const content = (path: string, id: string) => join(path, 'store/versions', id, 'content');

test('a version is the tree as it was, and its manifest has the sums that sha256sum finds', async (t) => {
  const { path, directory, backups } = await place(t);
  const version = await backups.createBackup(directory, 'data', { label: 'first', metadata: { ticket: 7 } });
  assert.ok((await verifyTree(join(path, 'data'), content(path, version.id))).same);
  const { files, label, metadata, kind } = await backups.get(version.id);
  assert.deepEqual([label, metadata, kind, version.fileCount], ['first', { ticket: 7 }, 'tree', 4]);
  for (const { path: name, pathBytes, sha256 } of files) {
    const bytes = readFileSync(
      Buffer.concat([Buffer.from(`${path}/data/`), pathBytes ? Buffer.from(pathBytes, 'base64') : Buffer.from(name)]),
    );
    assert.equal(run('sha256sum', [], { input: bytes }).slice(0, 64), sha256, name);
  }
  assert.deepEqual(await backups.list(), [version]);
});

test('what has not changed is shared with the version before, and what has is not', async (t) => {
  const { path, directory, backups } = await place(t);
  const first = await backups.createBackup(directory, 'data');
  writeFileSync(join(path, 'data/a'), 'FIRST');
  run('chmod', ['600', join(path, 'data/deep/b')]);
  mkdirSync(join(path, 'data/new/er'), { recursive: true });
  writeFileSync(join(path, 'data/new/er/file'), 'new');
  const second = await backups.createBackup(directory, 'data');
  assert.deepEqual([second.parent, second.shared], [first.id, 2]);
  const inode = (id: string, name: string) => lstatSync(join(content(path, id), name)).ino;
  assert.equal(inode(first.id, 'same'), inode(second.id, 'same'));
  assert.notEqual(inode(first.id, 'a'), inode(second.id, 'a'));
  assert.notEqual(inode(first.id, 'deep/b'), inode(second.id, 'deep/b'), 'a mode is a change');
  assert.ok((await verifyTree(join(path, 'data'), content(path, second.id))).same, 'times of directories included');
  assert.equal(readFileSync(join(content(path, first.id), 'a'), 'utf8'), 'first');
  const differences = await backups.diff(first.id, second.id);
  assert.deepEqual([...new Set(differences.map((each) => each.path))].sort(), ['', 'a', 'deep/b', 'new']);
  await using today = await directory.openDirectory('data');
  assert.deepEqual(await backups.diff(second.id, today), []);
});

test('a restore puts back the whole, a part or a file, in one step, and keeps what was there where asked', async (t) => {
  const { path, directory, backups } = await place(t);
  const version = await backups.createBackup(directory, 'data');
  run('rm', ['-r', join(path, 'data/deep')]);
  writeFileSync(join(path, 'data/a'), 'spoilt');
  assert.deepEqual(await backups.restoreBackup(version.id, directory, 'data', { keepAs: 'spoilt' }), {
    replaced: true,
    notKept: [],
    notKeptCount: 0,
  });
  assert.ok((await verifyTree(join(path, 'data'), content(path, version.id))).same);
  assert.equal(readFileSync(join(path, 'spoilt/a'), 'utf8'), 'spoilt');
  assert.deepEqual(await backups.restoreBackup(version.id, directory, 'part', { path: 'deep' }), {
    replaced: false,
    notKept: [],
    notKeptCount: 0,
  });
  assert.equal(readFileSync(join(path, 'part/b'), 'utf8'), 'below');
  await backups.restoreBackup(version.id, directory, 'one', { path: 'deep/b' });
  assert.equal(lstatSync(join(path, 'one')).mode & 0o777, 0o640);
  const file = await backups.createBackup(directory, 'data/a');
  writeFileSync(join(path, 'data/a'), 'spoilt again');
  await backups.restoreBackup(file.id, directory, 'data/a');
  assert.equal(readFileSync(join(path, 'data/a'), 'utf8'), 'first');
  assert.deepEqual(readdirSync(path).sort(), ['data', 'one', 'part', 'spoilt', 'store']);
  await assert.rejects(backups.restoreBackup(version.id, directory, 'x', { path: 'absent' }), VersionError);
  await assert.rejects(backups.restoreBackup(version.id, directory, '.'), /the one that holds it/);
  await assert.rejects(backups.restoreBackup(version.id, directory, 'x', { path: '../a' }), {
    code: 'ERR_DIRFD_PATH_ESCAPE',
  });
});

test('damage is found, and nothing is restored from it', async (t) => {
  const { path, directory, backups } = await place(t);
  const { id } = await backups.createBackup(directory, 'data');
  assert.equal((await backups.verify(id)).intact, true);
  writeFileSync(join(content(path, id), 'a'), 'FIRST');
  run('rm', [join(content(path, id), 'deep/b')]);
  writeFileSync(join(content(path, id), 'new'), '');
  const { intact, faults } = await backups.verify(id);
  assert.equal(intact, false);
  assert.deepEqual(faults.map(({ path: name, why }) => `${name} ${why}`).sort(), [
    'a changed',
    'deep/b missing',
    'new extra',
  ]);
  writeFileSync(join(path, 'data/a'), 'of today');
  await assert.rejects(backups.restoreBackup(id, directory, 'data'), IntegrityError);
  assert.equal(readFileSync(join(path, 'data/a'), 'utf8'), 'of today');
  const manifest = join(path, 'store/versions', id, 'manifest.json');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"size":5', '"size":6'));
  await assert.rejects(backups.verify(id), IntegrityError);
  for (const bad of ['', '..', '../../data', '20260101T000000000Z-00000000'])
    await assert.rejects(backups.get(bad), VersionError);
});

test('rules of retention keep the newest of each period', () => {
  const at = (text: string) => ({ id: text, created: text, source: 'data' });
  const all = [
    '2026-01-05T10:00:00.000Z',
    '2026-01-31T10:00:00.000Z',
    '2026-02-01T09:10:00.000Z',
    '2026-02-01T09:50:00.000Z',
    '2026-02-02T10:00:00.000Z',
  ].map(at);
  const now = Date.parse('2026-02-02T11:00:00.000Z');
  const kept = (policy: object) =>
    [...keptBy(policy, all, now, { verb: 'test' })].sort().map((id) => all.findIndex((each) => each.id === id));
  assert.deepEqual(kept({ count: 2 }), [3, 4]);
  assert.deepEqual(kept({ maxAge: 25.5 * 3600_000 }), [3, 4]);
  assert.deepEqual(kept({ hourly: 2 }), [3, 4]);
  assert.deepEqual(kept({ daily: 3 }), [1, 3, 4]);
  // The first of February 2026 is a Sunday.
  assert.deepEqual(kept({ weekly: 2 }), [3, 4]);
  assert.deepEqual(kept({ monthly: 5, count: 1 }), [1, 4]);
  for (const bad of [{}, { count: 0 }, { count: -1 }, { yearly: 1 }, { count: 1.5 }]) {
    assert.throws(() => kept(bad), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
  }
});

test('a backup that fails leaves nothing in the store', async (t) => {
  const { path, directory, backups } = await place(t);
  await assert.rejects(backups.createBackup(directory, 'data', { exclude: ['ends/with/slash/'] }));
  await assert.rejects(backups.createBackup(directory, 'absent'), (error: BackupError) => {
    return error instanceof BackupError && (error.cause as { code?: string }).code === 'ENOENT';
  });
  // A copy into itself would never end.
  await assert.rejects(backups.createBackup(directory, '.'), BackupError);
  assert.deepEqual(readdirSync(join(path, 'store/versions')), []);
});

test('a prune removes what no rule keeps; what is shared stays whole, and readers are waited for', async (t) => {
  const { path, directory, backups } = await place(t);
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.push((await backups.createBackup(directory, 'data')).id);
  assert.deepEqual((await backups.prune({ count: 1 }, { dryRun: true })).removed, ids.slice(0, 2));
  assert.equal((await backups.list()).length, 3);
  await using lock = await FileLock.open(join(path, 'store'), 'store.lock');
  let isOver = false;
  const reading = backups.verify(ids[0]!).finally(() => {
    isOver = true;
  });
  // Else the prune may have come first.
  while (!isOver && !(await lock.holder())) await setImmediate();
  const { removed, kept } = await backups.prune({ count: 1 });
  assert.equal((await reading).intact, true);
  assert.deepEqual([removed, kept], [ids.slice(0, 2), ids.slice(2)]);
  assert.deepEqual(readdirSync(join(path, 'store/versions')), kept);
  assert.equal((await backups.verify(kept[0]!)).intact, true);
  await backups.remove(kept[0]!);
  assert.deepEqual(await backups.list(), []);
});

test('a restore that fails, or is killed, never takes away what it was to keep or to replace', async (t) => {
  const { path, directory, backups } = await place(t);
  const { id } = await backups.createBackup(directory, 'data');
  writeFileSync(join(path, 'data/a'), 'of today');
  mkdirSync(join(path, 'taken'));
  for (const [keepAs, code] of [
    ['taken', 'EEXIST'],
    ['no/such', 'ENOENT'],
  ] as const) {
    await assert.rejects(backups.restoreBackup(id, directory, 'data', { keepAs }), { code });
    assert.equal(readFileSync(join(path, 'data/a'), 'utf8'), 'of today');
    assert.deepEqual(readdirSync(path).sort(), ['data', 'store', 'taken']);
  }
  if (!requireTool(t, 'strace')) return;
  const restore = (inject: string, keepAs?: string) => {
    const script = `
      import { BackupManager } from 'dirfd/backup';
      import { DirectoryFd } from 'dirfd';
      const backups = await BackupManager.open(${JSON.stringify(join(path, 'store'))});
      const directory = await DirectoryFd.open(${JSON.stringify(path)});
      await backups.restoreBackup(${JSON.stringify(id)}, directory, 'data', { keepAs: ${JSON.stringify(keepAs)} });`;
    const [call] = inject.split(':');
    const options = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${inject}`];
    const node = [process.execPath, '--input-type=module', '-e', script];
    return attempt('strace', [...options, ...node], {
      cwd: repositoryRoot,
      env: { ...process.env, UV_THREADPOOL_SIZE: '1', NODE_OPTIONS: '' },
    });
  };
  const found = () =>
    readdirSync(path)
      .map((name) => join(path, name, 'a'))
      .filter((name) => existsSync(name));
  for (const when of ['renameat2:signal=KILL:when=1', 'renameat2:signal=KILL:when=2', 'fsync:signal=KILL:when=1']) {
    const { signal, status } = restore(when, 'kept');
    assert.ok(signal === 'SIGKILL' || status === 137, when);
    await backups.cleanup([directory]);
    const contents = found().map((name) => readFileSync(name, 'utf8'));
    assert.ok(contents.includes('of today'), `${when}: only ${contents}`);
    run('rm', ['-rf', join(path, 'kept')]);
    writeFileSync(join(path, 'data/a'), 'of today');
  }
  const failed = restore('fsync:error=EIO');
  assert.match(failed.stderr, /RestoreError/);
  const contents = found().map((name) => readFileSync(name, 'utf8'));
  assert.deepEqual(contents.sort(), ['first', 'of today']);
});

test('a single file that cannot get its directory’s name leaves nothing beside its target', async (t) => {
  const { path, directory, backups } = await place(t);
  const { id } = await backups.createBackup(directory, 'data/a');
  const before = readdirSync(path).sort();
  for (const method of ['rmdir', 'rename'] as const) {
    const original = DirectoryFd.prototype[method] as (...args: unknown[]) => Promise<void>;
    const failing = t.mock.method(
      DirectoryFd.prototype,
      method,
      async function (this: DirectoryFd, ...args: unknown[]) {
        const isOurs = method === 'rmdir' || String(args[0]).endsWith('.file');
        if (isOurs) throw new FsError('EIO', { code: 'EIO' });
        await original.apply(this, args);
      },
    );
    await assert.rejects(backups.restoreBackup(id, directory, 'again'), { code: 'EIO' });
    failing.mock.restore();
    assert.deepEqual(readdirSync(path).sort(), before, method);
  }
});

test('recovery points are there after a crash, and put back what was', async (t) => {
  const { path, directory, backups } = await place(t);
  await using recovery = new RecoveryManager(backups);
  const point = await recovery.addRecoveryPoint('migrate', directory, 'data');
  const absent = await recovery.addRecoveryPoint('migrate', directory, 'new');
  writeFileSync(join(path, 'new'), 'half');
  writeFileSync(join(path, 'data/a'), 'half');
  // As another process would find them.
  await using later = new RecoveryManager(backups);
  assert.deepEqual(
    (await later.pending()).map(({ id }) => id),
    [point.id, absent.id],
  );
  const { restored, failed } = await later.recover(new Error('crashed'), { directory });
  assert.deepEqual([restored.length, failed.length], [2, 0]);
  assert.equal(readFileSync(join(path, 'data/a'), 'utf8'), 'first');
  assert.equal(existsSync(join(path, 'new')), false);
  assert.deepEqual(await later.pending(), []);
  const done = await recovery.addRecoveryPoint('edit', directory, 'data/a');
  await done.complete();
  assert.equal(await recovery.attemptRecovery(new Error('none')), true);
  await recovery.addRecoveryPoint('edit', directory, 'data/a');
  assert.equal((await recovery.emergencyCleanup()).length, 1);
  assert.deepEqual(await recovery.pending(), []);
});

test('a prune keeps the versions that pending recovery points need', async (t) => {
  const { path, directory, backups } = await place(t);
  await using recovery = new RecoveryManager(backups);
  const point = await recovery.addRecoveryPoint('migrate', directory, 'data');
  writeFileSync(join(path, 'data/a'), 'half');
  const { id } = await backups.createBackup(directory, 'data');
  const { removed, kept } = await backups.prune({ count: 1 });
  assert.deepEqual([removed, kept], [[], [point.version, id]]);
  assert.equal(await recovery.attemptRecovery(new Error('crashed')), true);
  assert.equal(readFileSync(join(path, 'data/a'), 'utf8'), 'first');
  assert.deepEqual((await backups.prune({ count: 1 })).removed, [point.version]);

  // Pruned in the moment before the point is there.
  const createBackup = backups.createBackup.bind(backups);
  backups.createBackup = async (...args) => {
    const version = await createBackup(...args);
    await createBackup(directory, 'data');
    await backups.prune({ count: 1 });
    return version;
  };
  await assert.rejects(recovery.addRecoveryPoint('migrate', directory, 'data'), RecoveryError);
  assert.deepEqual(await recovery.pending(), []);
});

test('a quick backup does not take damage in the version before for the truth', async (t) => {
  const { path, directory, backups } = await place(t);
  const first = await backups.createBackup(directory, 'data');
  writeFileSync(join(content(path, first.id), 'a'), 'FIRST');
  run('touch', ['-r', join(path, 'data/a'), join(content(path, first.id), 'a')]);
  const second = await backups.createBackup(directory, 'data', { quick: true });
  assert.equal(second.shared, 4);
  const { intact, faults } = await backups.verify(second.id);
  assert.deepEqual([intact, faults.map(({ path: name }) => name)], [false, ['a']]);
});

test('rules of retention hold for each source by itself, or for one', async (t) => {
  const { directory, backups } = await place(t);
  const make = async (name: string) => (await backups.createBackup(directory, name)).id;
  const [a, b, newer] = [await make('data/a'), await make('data/deep/b'), await make('data/deep/b')];
  assert.deepEqual(await backups.prune({ daily: 7, count: 1 }), { removed: [b], kept: [a, newer], unreadable: [] });
  const again = await make('data/a');
  const [{ source } = { source: '' }] = await backups.list();
  const { removed, kept } = await backups.prune({ count: 1 }, { source, dryRun: true });
  assert.deepEqual([removed, kept], [[a], [again]]);
  assert.equal((await backups.list()).length, 3);
});

test('a version that cannot be read keeps none of the others from being listed, added to and pruned', async (t) => {
  const { path, directory, backups } = await place(t);
  const spoil: Record<string, (version: string) => void> = {
    'a symlink for a manifest': (version) => {
      run('mv', [join(version, 'manifest.json'), join(path, 'moved')]);
      symlinkSync(join(path, 'moved'), join(version, 'manifest.json'));
    },
    'a manifest that is a directory': (version) => {
      run('rm', [join(version, 'manifest.json')]);
      mkdirSync(join(version, 'manifest.json'));
    },
    'a file for a version': (version) => {
      run('rm', ['-r', version]);
      writeFileSync(version, '');
    },
    'no content': (version) => run('rm', ['-r', join(version, 'content')]),
    'a directory for a compressed file': (version) => {
      run('rm', [join(version, 'content/same')]);
      mkdirSync(join(version, 'content/same'));
    },
  };
  for (const [what, change] of Object.entries(spoil)) {
    const good = await backups.createBackup(directory, 'data');
    const bad = await backups.createBackup(directory, 'data', { compress: 'gzip', share: false });
    change(join(path, 'store/versions', bad.id));
    assert.ok(
      (await backups.list()).some(({ id }) => id === good.id),
      what,
    );
    const next = await backups.createBackup(directory, 'data');
    assert.equal((await backups.verify(next.id)).intact, true, what);
    const { removed, unreadable } = await backups.prune({ count: 1 });
    assert.equal(removed.includes(good.id), true, what);
    const isTold = unreadable.some(({ id, error }) => id === bad.id && error.code !== undefined);
    assert.equal(isTold, !removed.includes(bad.id), what);
  }
});

test('where what follows a restore fails, the error says that it stands, and what is kept survives a cleanup', async (t) => {
  const { path, directory, backups } = await place(t);
  const { id } = await backups.createBackup(directory, 'data');
  const hidden = () => readdirSync(path).filter((name) => name.startsWith('.'));
  for (const [method, told, left] of [
    ['sync', /restored, but perhaps not on the disk yet; what was there is kept as '\.dirfd-replaced-/, 1],
    ['removeTree', /restored, but what was there could not be removed: the rest of it is '\.dirfd-restoring-/, 0],
  ] as const) {
    writeFileSync(join(path, 'data/a'), 'of today');
    const failing = t.mock.method(DirectoryFd.prototype, method, async () => {
      throw new Error('EIO');
    });
    await assert.rejects(backups.restoreBackup(id, directory, 'data'), told);
    failing.mock.restore();
    assert.equal(readFileSync(join(path, 'data/a'), 'utf8'), 'first');
    assert.equal(readFileSync(join(path, hidden()[0]!, 'a'), 'utf8'), 'of today');
    await backups.cleanup([directory]);
    assert.equal(hidden().length, left, method);
    run('rm', ['-rf', ...hidden().map((name) => join(path, name))]);
  }
});
