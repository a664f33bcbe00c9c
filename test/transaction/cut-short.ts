// Transactions that end in the middle, as if their process had been killed there.
import assert from 'node:assert/strict';
import { DirectoryFd } from 'dirfd';
import { FileTransaction, StateError, type TransactionRoots } from 'dirfd/transaction';
import { Applier } from '#dist/transaction/apply.js';
import { Journal } from '#dist/transaction/journal.js';

/** Commits, under the id `t`. */
export async function committed(
  root: TransactionRoots,
  operations: (transaction: FileTransaction) => Promise<void>,
  keepUndo = true,
): Promise<void> {
  await using transaction = await FileTransaction.begin(root, { transactionId: 't', keepUndo });
  await operations(transaction);
  await transaction.commit();
}

/** As if the process had been killed with so many of its steps taken. */
export async function cutShort(taken: number, ...[root, operations]: Parameters<typeof committed>): Promise<void> {
  const { take } = Applier.prototype;
  const { append } = Journal.prototype;
  Applier.prototype.take = async function (steps, onTaken) {
    Journal.prototype.append = async () => Promise.reject(new Error('killed'));
    await take.call(this, steps.slice(0, taken), onTaken);
    throw new Error('killed');
  };
  try {
    await assert.rejects(committed(root, operations, false), StateError);
  } finally {
    Applier.prototype.take = take;
    Journal.prototype.append = append;
  }
}

/** As if the process had been killed before it removed what a transaction leaves. */
export async function undiscarded(work: () => Promise<unknown>): Promise<void> {
  const { removeTree } = DirectoryFd.prototype;
  DirectoryFd.prototype.removeTree = async () => Promise.reject(new Error('killed'));
  try {
    await work().catch((error: Error) => assert.equal(error.message, 'killed'));
  } finally {
    DirectoryFd.prototype.removeTree = removeTree;
  }
}
