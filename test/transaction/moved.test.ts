// What others have moved, copied, removed or closed since: nothing goes half of the way, and nothing that is kept is lost.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ConflictError, FileTransaction, type TransactionRoots, undo } from 'dirfd/transaction';
import { leavings, rootWith, snapshot } from './snapshot.js';

/** Commits, under the id `t`. */
async function committed(
  root: TransactionRoots,
  operations: (transaction: FileTransaction) => Promise<void>,
  keepUndo = true,
): Promise<void> {
  await using transaction = await FileTransaction.begin(root, { transactionId: 't', keepUndo });
  await operations(transaction);
  await transaction.commit();
}

describe('undo takes nothing back', () => {
  const refused = async (root: string, paths: readonly string[], only?: readonly string[]) => {
    const edited = snapshot(root);
    await assert.rejects(undo(root, 't', { only }), (error) => {
      assert.ok(error instanceof ConflictError, String(error));
      assert.deepEqual([...error.paths].sort(), paths);
      return true;
    });
    assert.deepEqual(snapshot(root), edited);
    // Nor does it stand in the way of others.
    await using other = await FileTransaction.begin(root);
    await other.write('other', '');
    await other.commit();
  };

  test('where somebody has moved the directory of what was deleted, and all of it once it is back', async (t) => {
    const root = rootWith(t, { 'd/a': 'a', 'd/z': 'z', b: 'old' });
    const before = snapshot(root);
    await committed(root, async (transaction) => {
      await transaction.delete('d/a');
      await transaction.write('b', 'new');
    });
    renameSync(join(root, 'd'), join(root, 'e'));
    await refused(root, ['d/a']);
    renameSync(join(root, 'e'), join(root, 'd'));
    await undo(root, 't');
    assert.deepEqual(snapshot(root), { ...before, other: 'file 644 ' });
  });

  test('where somebody uses the name from which a file was moved', async (t) => {
    const root = rootWith(t, { b: 'b', c: 'old c' });
    await committed(root, async (transaction) => {
      await transaction.write('c', 'new c');
      await transaction.move('b', 'a');
    });
    writeFileSync(join(root, 'b'), 'theirs');
    await refused(root, ['b']);
  });

  test('where somebody uses a name in a directory that the transaction has moved', async (t) => {
    const root = rootWith(t, { 'd/s/a': 'a', 'd/s/z': 'z', c: 'old c' });
    await committed(root, async (transaction) => {
      await transaction.delete('d/s/a');
      await transaction.move('d/s/z', 'z');
      await transaction.write('c', 'new c');
      await transaction.move('d', 'e');
    });
    writeFileSync(join(root, 'e/s/a'), 'theirs');
    await refused(root, ['d/s/a']);
    renameSync(join(root, 'e/s/a'), join(root, 'e/s/z'));
    await refused(root, ['d/s/z']);
  });

  test('where somebody has moved a directory within one that the transaction has moved', async (t) => {
    const root = rootWith(t, { 'd/s/a': 'a', 'd/s/z': 'z', c: 'old c' });
    await committed(root, async (transaction) => {
      await transaction.delete('d/s/a');
      await transaction.write('c', 'new c');
      await transaction.move('d', 'e');
    });
    renameSync(join(root, 'e/s'), join(root, 'e/r'));
    mkdirSync(join(root, 'e/s'));
    await refused(root, ['d/s/a']);
  });
});

test('undo takes back what lay in directories that were moved, deleted or replaced along, and those with it', async (t) => {
  const files = { 'd/s/a': 'a', 'd/s/z': 'z', 'g/b': 'b', 'g/c': 'c', 'h/i/x': 'x', 'h/i/y': 'y', l: 'l', m: 'm' };
  const root = rootWith(t, files);
  const before = snapshot(root);
  const operations = async (transaction: FileTransaction) => {
    await transaction.delete('d/s/a');
    await transaction.move('d/s/z', 'z');
    await transaction.move('d', 'e');
    await transaction.move('g/b', 'b');
    await transaction.delete('g');
    await transaction.move('h/i/x', 'x');
    await transaction.delete('h/i');
    await transaction.write('h/i', 'a file in its place');
    await transaction.move('h', 'j');
    // A name that two entries have, one after the other.
    await transaction.move('l', 'k');
    await transaction.move('m', 'l');
  };
  await committed(root, operations);
  await undo(root, 't');
  assert.deepEqual(snapshot(root), before);
  assert.deepEqual(leavings(root), []);
  await committed(root, operations);
  await undo(root, 't', { only: ['z', 'b', 'x'] });
  await undo(root, 't', { only: ['k'] });
  assert.deepEqual(snapshot(root), before);
});
