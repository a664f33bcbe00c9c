// Recoveries killed in the middle, and recovered from. Here some of the calls are tried; `npm run crash` tries every one.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { DirectoryFd } from 'dirfd';
import { BackupManager, RecoveryManager } from 'dirfd/backup';
import { pending } from 'dirfd/transaction';
import { run } from '../fixtures/command.js';
import { treeDifferences } from '../fixtures/compare.js';
import { type KillPoint, killedAt, killPointsOf, some } from '../fixtures/kill.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { quickTemporaryRoot, type TestLike, temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { leavings, STATE } from '../transaction/snapshot.js';

const all = process.env.DIRFD_CRASH === 'all';

/** What changes the disk, or waits for it. Between two of these a crash leaves the same as before the second. */
const CALLS: readonly string[] = [
  ...['mkdirat', 'linkat', 'renameat', 'renameat2', 'unlinkat', 'fchmod', 'fchown', 'utimensat', 'ftruncate'],
  ...['copy_file_range', 'ioctl', 'pwrite64', 'fsync', 'fdatasync', 'syncfs'],
];

/** Not even its owner may write there, which keeps root from nothing, and an ordinary user's transaction from moving a name into it. */
const shut = process.getuid?.() === 0 ? '0o500' : '0o700';

const programs = {
  /** Two points, each with something half done, and a transaction over both, which ends by its own hand. */
  work: `
    await recovery.addRecoveryPoint('migrate', data, 'tree');
    await data.writeFile('tree/deep/text', 'half');
    await recovery.addRecoveryPoint('migrate', data, 'new');
    await data.mkdir('new', { mode: ${shut} });
    const onProgress = ({ phase }) => phase === 'apply' && process.kill(process.pid, 'SIGKILL');
    const transaction = await FileTransaction.begin(data, { transactionId: 't', onProgress });
    await transaction.write('tree/a', 'of the transaction');
    await transaction.delete('tree/deep/small');
    await transaction.move('tree/deep/link', 'new/link');
    await transaction.commit();`,
  recover: `await recovery.recover(new Error('crashed'), { directory: data });`,
};

/** One thread for libuv's work, and by taskset one for a copy's, because strace counts by thread. */
const env = { ...process.env, UV_THREADPOOL_SIZE: '1', NODE_OPTIONS: '' };

function commandOf(program: keyof typeof programs, root: string): string[] {
  const entry = (name: string) => JSON.stringify(pathToFileURL(join(repositoryRoot, `dist/${name}main.js`)).href);
  const script = `
    import { DirectoryFd } from ${entry('')};
    import { BackupManager, RecoveryManager } from ${entry('backup/')};
    import { FileTransaction } from ${entry('transaction/')};
    const data = await DirectoryFd.open(process.argv[1] + '/data');
    const backups = await BackupManager.open(process.argv[1] + '/store');
    const recovery = new RecoveryManager(backups, { transactionRoots: [data] });
    ${programs[program]}`;
  return ['taskset', '-c', '0', process.execPath, '--input-type=module', '-e', script, '--', root];
}

/** A process has been killed in the middle of all; was/ is what there was before. */
function crashed(t: TestLike): string {
  const root = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  for (const name of ['data', 'data/tree', 'data/tree/deep', 'store']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'data/tree/a'), 'old', { mode: 0o640 });
  writeFileSync(join(root, 'data/tree/deep/text'), 'a line of text\n'.repeat(2000), { mode: 0o600 });
  linkSync(join(root, 'data/tree/deep/text'), join(root, 'data/tree/text'));
  writeFileSync(join(root, 'data/tree/deep/small'), 'small');
  symlinkSync('nowhere', join(root, 'data/tree/deep/link'));
  run('cp', ['-a', join(root, 'data/tree'), join(root, 'was')]);
  assert.ok(killedAt(commandOf('work', root), { call: 'syncfs', nth: 99 }, env));
  assert.notDeepEqual(treeDifferences(join(root, 'was'), join(root, 'data/tree')), []);
  return root;
}

/** What others' tools find: all as it was before the operations, and nothing else. */
async function judge(root: string, where: string): Promise<void> {
  await using data = await DirectoryFd.open(join(root, 'data'));
  await using backups = await BackupManager.open(join(root, 'store'));
  await using recovery = new RecoveryManager(backups, { transactionRoots: [data] });
  const { failed, unsettled } = await recovery.recover(new Error('crashed again'), { directory: data });
  assert.deepEqual([failed, unsettled], [[], []], where);
  assert.deepEqual(treeDifferences(join(root, 'was'), join(root, 'data/tree')), [], where);
  assert.deepEqual(readdirSync(join(root, 'data')).sort(), [STATE, 'tree'], where);
  assert.deepEqual([await recovery.pending(), await pending(data), leavings(join(root, 'data'))], [[], [], []], where);
  assert.deepEqual(
    await recovery.outlook({ directory: data }),
    { redo: [], undo: [], restore: [], active: [], lookAt: [] },
    where,
  );
  assert.deepEqual(readdirSync(join(root, 'store/versions')), await backups.ids(), where);
  assert.deepEqual(await backups.cleanup([data]), [], where);
}

test('a recovery that is killed is finished by the next one', { timeout: 3_600_000 }, async (t) => {
  if (!requireTool(t, 'strace', 'rsync', 'taskset')) return;
  const points = killPointsOf(commandOf('recover', crashed(t)), CALLS, env);
  const tried: KillPoint[] = all ? points : some(points, 4);
  let killed = 0;
  for (const point of tried) {
    const root = crashed(t);
    if (killedAt(commandOf('recover', root), point, env)) killed++;
    await judge(root, `${point.call} ${point.nth}`);
  }
  t.diagnostic(`${points.length} calls, ${killed} of ${tried.length} killed`);
  assert.ok(killed >= (tried.length * 8) / 18, `killed ${killed} of ${tried.length} times`);
});
