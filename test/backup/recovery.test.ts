// A RecoveryManager that sees transactions, too. Their processes are killed by their own hand, at a phase of the commit.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { DirectoryFd, FsError } from 'dirfd';
import { BackupManager, RecoveryManager } from 'dirfd/backup';
import { StateError } from 'dirfd/transaction';
import { dirfd } from '../cli/run-command.js';
import { attempt } from '../fixtures/command.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { quickTemporaryRoot, type TestLike, temporaryDirectory } from '../fixtures/temporary.js';
import { leavings } from '../transaction/snapshot.js';

const entry = JSON.stringify(pathToFileURL(join(repositoryRoot, 'dist/transaction/main.js')).href);

/** Writes 'new' to `a`, and dies: committed at 'apply', only staged at 'sync'. */
function killedCommit(root: string, phase: 'sync' | 'apply', id: string): void {
  const script = `
    import { FileTransaction } from ${entry};
    const onProgress = ({ phase }) => phase === '${phase}' && process.kill(process.pid, 'SIGKILL');
    const transaction = await FileTransaction.begin(process.argv[1], { transactionId: '${id}', onProgress });
    await transaction.write('a', 'new');
    await transaction.commit();`;
  assert.equal(attempt(process.execPath, ['--input-type=module', '-e', script, '--', root]).signal, 'SIGKILL');
}

async function place(t: TestLike) {
  const path = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  for (const name of ['data', 'store']) mkdirSync(join(path, name));
  writeFileSync(join(path, 'data/a'), 'old');
  const data = await DirectoryFd.open(join(path, 'data'));
  const backups = await BackupManager.open(join(path, 'store'));
  t.after(async () => {
    await backups.close();
    await data.close();
  });
  return { root: join(path, 'data'), data, backups };
}

test('the outlook tells what is to be finished, taken back and put back, and changes nothing', async (t) => {
  const { root, data, backups } = await place(t);
  await using untouched = new RecoveryManager(backups, { transactionRoots: [data] });
  assert.deepEqual(await untouched.outlook(), { redo: [], undo: [], restore: [], active: [], lookAt: [] });
  assert.equal(existsSync(join(root, '.dirfd-transactions')), false);

  killedCommit(root, 'sync', 'staged');
  await using recovery = new RecoveryManager(backups, { transactionRoots: [root, join(root, 'none')] });
  const point = await recovery.addRecoveryPoint('edit', data, 'b');
  const staged = await recovery.outlook();
  assert.deepEqual([staged.redo.length, staged.undo.map(({ id, root: at }) => [id, at])], [0, [['staged', root]]]);
  assert.deepEqual([staged.restore.map(({ id }) => id), staged.lookAt.length], [[point.id], 1]);
  assert.equal(staged.lookAt[0]?.error && 'code' in staged.lookAt[0].error && staged.lookAt[0].error.code, 'ENOENT');
  // A commit, though it ends early, clears away what was only staged.
  killedCommit(root, 'apply', 'committed');
  await using later = new RecoveryManager(backups, { transactionRoots: [data] });
  const { redo, undo, restore, lookAt } = await later.outlook();
  assert.deepEqual([redo.map(({ id }) => id), undo, restore], [['committed'], [], []]);
  assert.match(String(lookAt[0]?.error), /the directory is not given, recover 'b'/);
  assert.deepEqual((await later.outlook({ directory: data })).restore.length, 1);
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'old');
  assert.deepEqual(leavings(root), ['committed']);
});

test('a recovery settles transactions first, then puts points back', async (t) => {
  const { root, data, backups } = await place(t);
  await using recovery = new RecoveryManager(backups, { transactionRoots: [data] });
  await recovery.addRecoveryPoint('edit', data, 'a');
  killedCommit(root, 'apply', 'committed');
  const { transactions, unsettled, restored } = await recovery.recover(new Error('crashed'));
  assert.deepEqual([transactions[0]?.finished, unsettled, restored.length], [['committed'], [], 1]);
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'old', 'put back to what it was before the transaction');
  assert.deepEqual(leavings(root), []);
});

test('a committed transaction that has lost a root is to be looked at, by whoever asks', async (t) => {
  const { root, data, backups } = await place(t);
  const other = join(root, '../other');
  mkdirSync(other);
  const script = `
    import { FileTransaction } from ${entry};
    const [one, two] = process.argv.slice(1);
    const onProgress = ({ phase }) => phase === 'apply' && process.kill(process.pid, 'SIGKILL');
    const transaction = await FileTransaction.begin({ one, two }, { transactionId: 't', onProgress });
    for (const root of ['one', 'two']) await transaction.write({ root, path: 'a' }, 'new');
    await transaction.commit();`;
  const ran = attempt(process.execPath, ['--input-type=module', '-e', script, '--', root, other]);
  assert.equal(ran.signal, 'SIGKILL', ran.stderr);
  await using recovery = new RecoveryManager(backups, { transactionRoots: [data] });
  assert.deepEqual(
    (await recovery.outlook()).redo.map(({ id }) => id),
    ['t'],
  );
  renameSync(other, `${other}.away`);
  const { redo, lookAt } = await recovery.outlook();
  assert.deepEqual([redo, lookAt.length], [[], 1]);
  assert.match(String(lookAt[0]?.error), /transaction t: '.*other' is gone, which took part/);
  const asked = dirfd(['recover', '-n', root]);
  assert.match(asked.stderr, /^dirfd recover: t: '.*other' is gone.*\n1 transaction to be looked at\n$/);
  assert.equal(await recovery.attemptRecovery(new Error('crashed')), false);
  renameSync(`${other}.away`, other);
  assert.deepEqual([(await recovery.outlook()).redo.length, existsSync(join(other, 'a'))], [1, false]);
  assert.equal(await recovery.attemptRecovery(new Error('crashed')), true);
  assert.equal(readFileSync(join(other, 'a'), 'utf8'), 'new');
});

test('what somebody has changed after the crash is to be looked at, until an emergency cleanup accepts it', async (t) => {
  const { root, data, backups } = await place(t);
  killedCommit(root, 'apply', 'committed');
  writeFileSync(join(root, 'a'), 'edited since');
  await using recovery = new RecoveryManager(backups, { transactionRoots: [data] });
  const { unsettled } = await recovery.recover(new Error('crashed'));
  assert.ok(unsettled[0]?.error instanceof StateError);
  assert.deepEqual(unsettled[0].error.paths, ['a']);
  assert.equal(await recovery.attemptRecovery(new Error('again')), false);
  await recovery.emergencyCleanup();
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'edited since');
  assert.deepEqual(leavings(root), []);
  assert.equal(await recovery.attemptRecovery(new Error('again')), true);
});

test('a point is put back in the directory it was made in, whatever path leads there, and in no other', async (t) => {
  const { root, data, backups } = await place(t);
  const other = join(root, '../other');
  mkdirSync(other);
  writeFileSync(join(other, 'new'), 'of somebody else');
  const before = process.cwd();
  t.after(() => process.chdir(before));
  process.chdir(root);
  {
    await using here = await DirectoryFd.open('.');
    await using earlier = new RecoveryManager(backups);
    await earlier.addRecoveryPoint('make', here, 'new');
    writeFileSync(join(root, 'new'), 'half');
  }
  process.chdir(other);
  await using wrong = await DirectoryFd.open('.');
  await using later = new RecoveryManager(backups);
  for (const options of [{}, { directory: wrong }]) {
    const { restored, failed } = await later.recover(new Error('crashed'), options);
    assert.deepEqual([restored.length, failed.length], [0, 1]);
    assert.match(String(failed[0]?.error), /the directory is not given/);
    assert.equal(await later.attemptRecovery(new Error('crashed'), options), false);
    assert.equal((await later.outlook(options)).lookAt.length, 1);
  }
  assert.equal(readFileSync(join(other, 'new'), 'utf8'), 'of somebody else');
  assert.equal(await later.attemptRecovery(new Error('crashed'), { directory: data }), true);
  assert.equal(existsSync(join(root, 'new')), false);
});

test('where a newer point cannot be put back, older ones of the same entry wait, and others do not', async (t) => {
  const { root, data, backups } = await place(t);
  mkdirSync(join(root, 'deep'));
  writeFileSync(join(root, 'deep/b'), 'first');
  writeFileSync(join(root, 'deeper'), 'first');
  await using recovery = new RecoveryManager(backups);
  const older = await recovery.addRecoveryPoint('edit', data, 'deep');
  const apart = await recovery.addRecoveryPoint('edit', data, 'deeper');
  for (const name of ['deep/b', 'deeper']) writeFileSync(join(root, name), 'second');
  const newer = await recovery.addRecoveryPoint('edit', data, './deep/b');
  writeFileSync(join(root, 'deep/b'), 'third');
  const stored = join(root, '../store/versions', String(newer.version), 'content/file');
  writeFileSync(stored, 'damage');
  const { restored, failed } = await recovery.recover(new Error('crashed'));
  const ids = (points: readonly { id: string }[]) => points.map(({ id }) => id);
  assert.deepEqual([ids(restored), ids(failed.map(({ point }) => point))], [[apart.id], [newer.id, older.id]]);
  assert.equal(readFileSync(join(root, 'deep/b'), 'utf8'), 'third');
  writeFileSync(stored, 'second');
  assert.deepEqual(ids((await recovery.recover(new Error('again'))).restored), [newer.id, older.id]);
  assert.equal(readFileSync(join(root, 'deep/b'), 'utf8'), 'first');
});

test('a point that could not be made is none, and holds nothing open', async (t) => {
  const { root, data, backups } = await place(t);
  await using recovery = new RecoveryManager(backups);
  await (await recovery.addRecoveryPoint('edit', data, 'a')).complete();
  const held = () => openLinks().filter((link) => link === root).length;
  const before = held();
  for (const failures of [1, Number.POSITIVE_INFINITY]) {
    let syncs = 0;
    const { sync } = DirectoryFd.prototype;
    const failing = t.mock.method(DirectoryFd.prototype, 'sync', async function (this: DirectoryFd) {
      if (++syncs <= failures) throw new FsError('EIO', { code: 'EIO' });
      await sync.call(this);
    });
    await assert.rejects(recovery.addRecoveryPoint('edit', data, 'none'), { code: 'EIO' });
    failing.mock.restore();
    assert.deepEqual([await recovery.pending(), held()], [[], before], `${failures} failures`);
  }
});

test('a point that could not be taken back either is told of, with what failed first as the cause', async (t) => {
  const { data, backups } = await place(t);
  await using recovery = new RecoveryManager(backups);
  await (await recovery.addRecoveryPoint('edit', data, 'a')).complete();
  const first = new FsError('the first', { code: 'EIO' });
  const full = t.mock.method(DirectoryFd.prototype, 'sync', async () => Promise.reject(first));
  const stuck = t.mock.method(DirectoryFd.prototype, 'unlink', async () => {
    throw new FsError('the second', { code: 'EROFS' });
  });
  const failure = recovery.addRecoveryPoint('edit', data, 'none');
  await assert.rejects(failure, ({ name, message, cause }: Error) => {
    assert.deepEqual([name, cause], ['RecoveryError', first]);
    return /the first; its recovery point \S+ could not be taken back and may stay pending/.test(message);
  });
  for (const { mock } of [full, stuck]) mock.restore();
  assert.equal((await recovery.pending()).length, 1);
});

test('what is no recovery point is a StateError', async (t) => {
  const { root, data, backups } = await place(t);
  await using recovery = new RecoveryManager(backups);
  await (await recovery.addRecoveryPoint('edit', data, 'a')).complete();
  for (const text of ['null', '7', '{}', '{']) {
    writeFileSync(join(root, '../store/points/0.json'), text);
    await assert.rejects(backups.prune({ count: 1 }), StateError, text);
  }
});

test('points and cleanups are recorded as the rest is', async (t) => {
  const { data, backups } = await place(t);
  const heard: string[] = [];
  const audit = { record: async ({ operation }: { operation: string }) => heard.push(operation) };
  await using recovery = new RecoveryManager(backups, { audit });
  await (await recovery.addRecoveryPoint('edit', data, 'a')).complete();
  await recovery.emergencyCleanup();
  assert.deepEqual(heard, ['backup.point', 'backup.complete', 'backup.emergency-cleanup']);
  let isFull = false;
  const full = { record: async () => (isFull ? Promise.reject(new Error('no record')) : undefined) };
  await using unrecorded = new RecoveryManager(backups, { audit: full });
  isFull = true;
  await assert.rejects(unrecorded.addRecoveryPoint('edit', data, 'a'), /no record/);
  assert.deepEqual(await recovery.pending(), [], 'without a record there is no point');
});

function openLinks(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      // The one by which they are listed.
      return [];
    }
  });
}

test('an emergency cleanup removes what killed restores have left beside the entries', async (t) => {
  const { root, data, backups } = await place(t);
  await using recovery = new RecoveryManager(backups);
  await recovery.addRecoveryPoint('edit', data, 'a');
  mkdirSync(join(root, '.dirfd-restoring-0123456789abcdef'));
  assert.equal((await recovery.emergencyCleanup()).length, 1);
  assert.deepEqual(readdirSync(root), ['a']);
  assert.deepEqual(await recovery.pending(), []);
});

/** Adds a point for `a`, changes it, and waits to be killed; whoever has made it is at work until then. */
async function workingElsewhere(path: string): Promise<ChildProcess> {
  const entry = (name: string) => JSON.stringify(pathToFileURL(join(repositoryRoot, `dist/${name}main.js`)).href);
  const script = `
    import { DirectoryFd } from ${entry('')};
    import { BackupManager, RecoveryManager } from ${entry('backup/')};
    const data = await DirectoryFd.open(process.argv[1] + '/data');
    const recovery = new RecoveryManager(await BackupManager.open(process.argv[1] + '/store'));
    await recovery.addRecoveryPoint('edit', data, 'a');
    await data.writeFile('a', 'half');
    console.log('at work');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, '--', path]);
  await once(child.stdout, 'data');
  return child;
}

test('a point of a process that lives is left alone, with older ones of the same entry', async (t) => {
  const { root, data, backups } = await place(t);
  {
    await using gone = new RecoveryManager(backups);
    await gone.addRecoveryPoint('edit', data, 'a');
    await gone.addRecoveryPoint('make', data, 'none');
  }
  const child = await workingElsewhere(join(root, '..'));
  t.after(() => child.kill('SIGKILL'));
  await using recovery = new RecoveryManager(backups);
  const { active, restore, lookAt } = await recovery.outlook({ directory: data });
  assert.deepEqual(
    [active, restore, lookAt].map((list) => list.length),
    [1, 1, 1],
  );
  const report = await recovery.recover(new Error('of somebody else'), { directory: data });
  assert.deepEqual(
    [report.active, report.restored].map((points) => points.map(({ path }) => path)),
    [['a'], ['none']],
  );
  assert.match(String(report.failed[0]?.error), /a newer point of the same entry stands in the way/);
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'half');
  assert.equal((await recovery.emergencyCleanup()).length, 1);
  assert.deepEqual(
    (await recovery.pending()).map(({ path }) => path),
    ['a'],
  );
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await recovery.attemptRecovery(new Error('killed'), { directory: data }), true);
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'old');
});

test('recoveries of one store go one after the other, and the second finds nothing left', async (t) => {
  const { root, data, backups } = await place(t);
  await using recovery = new RecoveryManager(backups);
  await using other = new RecoveryManager(backups);
  await recovery.addRecoveryPoint('edit', data, 'a');
  writeFileSync(join(root, 'a'), 'half');
  const reports = await Promise.all(
    [recovery, other].map((each) => each.recover(new Error('no'), { directory: data })),
  );
  assert.deepEqual(reports.map(({ restored, failed }) => restored.length + failed.length).sort(), [0, 1]);
  assert.deepEqual([readdirSync(root), readFileSync(join(root, 'a'), 'utf8')], [['a'], 'old']);
});

test('a point is of what can be put back: an entry, however its path is spelled, and not the directory itself', async (t) => {
  const { root, data, backups } = await place(t);
  mkdirSync(join(root, 'deep/er'), { recursive: true });
  writeFileSync(join(root, 'deep/er/b'), 'old');
  await using recovery = new RecoveryManager(backups);
  for (const path of ['.', './']) {
    await assert.rejects(recovery.addRecoveryPoint('edit', data, path), /replaced in the one that holds it/);
  }
  for (const path of ['deep/', './deep//er/', 'deep/er/./b']) {
    const point = await recovery.addRecoveryPoint('edit', data, path);
    writeFileSync(join(root, 'deep/er/b'), 'new');
    assert.equal(await recovery.attemptRecovery(new Error('half')), true, path);
    assert.equal(readFileSync(join(root, 'deep/er/b'), 'utf8'), 'old', path);
    await backups.restoreBackup(String(point.version), data, 'again/');
    await data.removeTree('again');
  }
});

test('what was not there is removed again, also a directory that keeps out its owner', async (t) => {
  const { root, data, backups } = await place(t);
  await using recovery = new RecoveryManager(backups);
  await recovery.addRecoveryPoint('make', data, './new/');
  mkdirSync(join(root, 'new/deep'), { recursive: true });
  for (const name of ['new/deep', 'new']) chmodSync(join(root, name), 0);
  assert.equal(await recovery.attemptRecovery(new Error('half')), true);
  assert.deepEqual(readdirSync(root), ['a']);
});
