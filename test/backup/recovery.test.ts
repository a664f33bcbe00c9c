// A RecoveryManager that sees transactions, too. Their processes are killed by their own hand, at a phase of the commit.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { DirectoryFd } from 'dirfd';
import { BackupManager, RecoveryManager } from 'dirfd/backup';
import { StateError } from 'dirfd/transaction';
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
  assert.deepEqual(await untouched.outlook(), { redo: [], undo: [], restore: [], lookAt: [] });
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
