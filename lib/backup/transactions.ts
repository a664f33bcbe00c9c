/** What a RecoveryManager knows of transactions: directories in which they work, and what crashes have left of them there. */

import { createRequire } from 'node:module';
import type { ObservedOptions } from '../audit/observe.js';
import { operationError, StateError } from '../operation-errors.js';
import type * as History from '../transaction/history.js';
import type * as Recover from '../transaction/recover.js';
import type { TransactionRoot } from '../transaction/site.js';

// Loaded by whoever has directories of transactions, so that backups do without; one file at a time, for the reason that lib/main.ts tells.
const require = createRequire(import.meta.url);
const history = () => require('../transaction/history.js') as typeof History;
const recovery = () => require('../transaction/recover.js') as typeof Recover;

/** A transaction that a crash has cut short. */
export interface PendingTransaction extends History.TransactionStatus {
  /** The directory that it works in. */
  readonly root: string;
}

/** What became of the transactions of a directory: ids, by what was done. */
export interface SettledTransactions extends Recover.RecoveryReport {
  readonly root: string;
}

/** A directory whose transactions are to be looked at, and why. */
export interface UnsettledTransactions {
  readonly root: string;
  readonly error: Error;
}

/** What each directory answered. */
export interface Answers<T> {
  readonly answers: readonly T[];
  readonly failed: readonly UnsettledTransactions[];
}

/** What transactions have left in these directories. Changes nothing, and makes no file. */
export async function pendingIn(roots: readonly TransactionRoot[]): Promise<Answers<PendingTransaction>> {
  const { answers, failed } = await askEach(roots, async (root, label) =>
    (await history().pending(root)).map((status) => ({ ...status, root: label })),
  );
  const all = answers.flat();
  const lookAt = all.flatMap((status) => {
    const why = whyLookAt(status);
    if (why === undefined) return [];
    const subject = { verb: 'recover', directory: status.root };
    return [{ root: status.root, error: operationError(StateError, 'ERR_DIRFD_RECOVERY', why, subject) }];
  });
  return { answers: all.filter((status) => whyLookAt(status) === undefined), failed: [...failed, ...lookAt] };
}

function whyLookAt({ id, state, obstacle }: PendingTransaction): string | undefined {
  if (state === 'unreadable') return `nobody knows what became of transaction ${id}: its log cannot be read`;
  return obstacle && `transaction ${id}: ${obstacle}`;
}

export async function settleIn(
  roots: readonly TransactionRoot[],
  options: ObservedOptions & { readonly edits: 'report' | 'keep'; readonly signal?: AbortSignal | undefined },
): Promise<Answers<SettledTransactions>> {
  return askEach(
    roots,
    async (root, label) => ({ ...(await recovery().recover(root, options)), root: label }),
    options.signal,
  );
}

async function askEach<T>(
  roots: readonly TransactionRoot[],
  ask: (root: TransactionRoot, label: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<Answers<T>> {
  const answers: T[] = [];
  const failed: UnsettledTransactions[] = [];
  for (const root of roots) {
    const label = labelOf(root);
    try {
      answers.push(await ask(root, label));
    } catch (thrown) {
      signal?.throwIfAborted();
      failed.push({ root: label, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
    }
  }
  return { answers, failed };
}

function labelOf(root: TransactionRoot): string {
  if (root instanceof Uint8Array) return Buffer.from(root).toString('utf8');
  return root instanceof Object && 'path' in root ? root.path : String(root);
}
