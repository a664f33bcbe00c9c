// What transactions leave: what is kept for undo, what a crash or a failure has left, and that each is told from the other.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectoryFd } from 'dirfd';
import {
  FileTransaction,
  IncompleteRecoveryError,
  listTransactions,
  pending,
  pruneTransactions,
  recover,
  undo,
  ValidationError,
} from 'dirfd/transaction';
import { Journal } from '#dist/transaction/journal.js';
import { committed, cutShort, undiscarded } from './cut-short.js';
import { leavings, rootWith, STATE, snapshot } from './snapshot.js';

async function write(root: string, transactionId: string, keepUndo: boolean): Promise<void> {
  await using transaction = await FileTransaction.begin(root, { transactionId, keepUndo, lockTimeout: 100 });
  await transaction.write('a', transactionId);
  await transaction.commit();
}

/** Two that are kept, and then one that was taken back and one that is over, whose leavings nobody has removed. */
async function withLeftovers(root: string): Promise<void> {
  for (const id of ['kept1', 'kept2', 'undone']) await write(root, id, true);
  await undiscarded(() => undo(root, 'undone'));
  await undiscarded(() => write(root, 'over', false));
}

test('what is over and not kept is pending until recover() removes it, and what is kept is not', async (t) => {
  const root = rootWith(t);
  await withLeftovers(root);
  const told = (await listTransactions(root)).map(({ id, state, keepUndo }) => `${id} ${state} ${keepUndo}`);
  assert.deepEqual(told, ['kept1 done true', 'kept2 done true', 'undone undone true', 'over done false']);
  const ids = (await pending(root)).map(({ id }) => id);
  assert.deepEqual(ids, ['undone', 'over']);
  await assert.rejects(FileTransaction.begin(root, { transactionId: 'over' }), /a crash has left .*: recover first/);
  assert.deepEqual([...(await recover(root)).discarded].sort(), ids.sort());
  assert.deepEqual(await pending(root), []);
  assert.deepEqual(leavings(root).sort(), ['kept1', 'kept2']);
});

test('a prune forgets what exceeds the count or the age, and leftovers use up neither', async (t) => {
  const root = rootWith(t);
  await withLeftovers(root);
  const hour = 3_600_000;
  assert.deepEqual((await pruneTransactions(root, { count: 2, maxAge: hour })).sort(), ['over', 'undone']);
  assert.deepEqual(await pruneTransactions(root, { maxAge: Number.POSITIVE_INFINITY }), []);
  assert.deepEqual(await pruneTransactions(root, { count: 1, maxAge: hour }), ['kept1']);
  for (const bad of [{ count: Number.NaN }, { maxAge: -1 }]) {
    await assert.rejects(pruneTransactions(root, bad), ValidationError);
    await assert.rejects(FileTransaction.begin(root, { keepUndo: bad }), ValidationError);
  }
  assert.deepEqual(await pruneTransactions(root, { count: 0, maxAge: hour }), ['kept2']);
  await write(root, 'old', true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(await pruneTransactions(root, { count: 9, maxAge: 1 }), ['old']);
});

test('a recovery that leaves something alone tells what became of the rest', async (t) => {
  const root = rootWith(t, { a: 'old' });
  await cutShort(0, root, (transaction) => transaction.write('a', 'new'));
  writeFileSync(join(root, 'a'), 'edited');
  mkdirSync(join(root, STATE, 'uncommitted'));
  await assert.rejects(recover(root), (error: IncompleteRecoveryError) => {
    assert.ok(error instanceof IncompleteRecoveryError);
    assert.deepEqual([error.name, error.paths], ['StateError', ['a']]);
    assert.deepEqual(error.report, { finished: [], rolledBack: [], discarded: ['uncommitted'], active: [], kept: [] });
    return true;
  });
  assert.deepEqual(leavings(root), ['t']);
});

test('a begin that fails behind its first directory leaves none', async (t) => {
  const [one, two] = [rootWith(t), rootWith(t)];
  const { openDirectory } = DirectoryFd.prototype;
  let opened = 0;
  const stub = t.mock.method(DirectoryFd.prototype, 'openDirectory', function (this: DirectoryFd, ...args) {
    if (args[0] === 't' && ++opened === 2) return Promise.reject(new Error('never opened'));
    return openDirectory.apply(this, args);
  } as typeof openDirectory);
  await assert.rejects(FileTransaction.begin({ one, two }, { transactionId: 't' }), /never opened/);
  stub.mock.restore();
  assert.deepEqual([leavings(one), leavings(two)], [[], []]);
});

test('an undo whose directory does not close well lets go of its locks', async (t) => {
  const root = rootWith(t, { a: 'old' });
  await committed(root, (transaction) => transaction.write('a', 'new'));
  const { append } = Journal.prototype;
  const { close } = DirectoryFd.prototype;
  let isGone = false;
  t.mock.method(Journal.prototype, 'append', async function (this: Journal, records: Parameters<typeof append>[0]) {
    await append.call(this, records);
    isGone = [...records].some(({ record }) => record === 'gone');
  });
  t.mock.method(DirectoryFd.prototype, 'close', async function (this: DirectoryFd) {
    await close.call(this);
    if (isGone && this.path.endsWith('/t')) throw new Error('not closed well');
  });
  await assert.rejects(undo(root, 't'), /not closed well/);
  t.mock.restoreAll();
  await write(root, 'next', false);
  assert.deepEqual([snapshot(root), leavings(root)], [{ a: 'file 644 next' }, []]);
});
