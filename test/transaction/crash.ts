// A transaction, a recovery or an undo in a process of its own, killed at a chosen system call.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FileTransaction, type TransactionOptions } from 'dirfd/transaction';
import { type KillPoint, killedAt, killPointsOf } from '../fixtures/kill.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { type Snapshot, snapshot } from './snapshot.js';

export type { KillPoint } from '../fixtures/kill.js';

/** What changes the disk, or waits for it. Between two of these a crash leaves the same as before the second. */
const CALLS: readonly string[] = [
  ...['mkdirat', 'renameat', 'renameat2', 'unlinkat', 'fchmod', 'ftruncate', 'pwrite64', 'fsync', 'fdatasync'],
];

/** Five files and a few names more: each sort of step, with a step inside of what another step brings. */
export const files = { a: 'old a', b: 'b', 'c/x': 'x', 'c/y': 'y', 'd/z': 'z' };

/** Its text goes into a program, so it may use nothing but its argument. */
async function changeAll(transaction: FileTransaction): Promise<void> {
  await transaction.write('a', 'new a');
  await transaction.move('b', 'd/b');
  await transaction.mkdir('n');
  await transaction.write('n/new', 'new');
  await transaction.move('c/y', 'n/y');
  await transaction.delete('c');
  await transaction.move('d', 'e');
  await transaction.write('e/w', 'w');
  await transaction.chmod('e/z', 0o600);
}

/** The same in this process. */
export async function commitAll(root: string, options: TransactionOptions = {}): Promise<void> {
  await using transaction = await FileTransaction.begin(root, options);
  await changeAll(transaction);
  await transaction.commit();
}

export const programs = {
  commit: `
    import { FileTransaction } from 'dirfd/transaction';
    const transaction = await FileTransaction.begin(process.argv[1], { transactionId: 't', keepUndo: process.argv[2] === 'keep' });
    await (${changeAll})(transaction);
    await transaction.commit();`,
  recover: `
    import { recover } from 'dirfd/transaction';
    await recover(process.argv[1]);`,
  undo: `
    import { undo } from 'dirfd/transaction';
    await undo(process.argv[1], 't');`,
};
export const after: Snapshot = {
  a: 'file 644 new a',
  e: 'directory 755',
  'e/b': 'file 644 b',
  'e/w': 'file 644 w',
  'e/z': 'file 600 z',
  n: 'directory 755',
  'n/new': 'file 644 new',
  'n/y': 'file 644 y',
};

export function killPoints(program: keyof typeof programs, args: readonly string[]): KillPoint[] {
  return killPointsOf(commandOf(program, args), CALLS, env);
}

export function runKilled(program: keyof typeof programs, args: readonly string[], point: KillPoint): boolean {
  return killedAt(commandOf(program, args), point, env);
}

/** Old or new, and nothing else. */
export function assertWhole(root: string, before: Snapshot, where: string): 'old' | 'new' {
  const now = snapshot(root);
  if (JSON.stringify(now) === JSON.stringify(before)) return 'old';
  assert.deepEqual(now, after, where);
  return 'new';
}

/** All of libuv's work in one thread, because strace counts by thread. */
export const env = { ...process.env, UV_THREADPOOL_SIZE: '1', NODE_OPTIONS: '' };

export function commandOf(program: keyof typeof programs, args: readonly string[]): string[] {
  const entry = pathToFileURL(join(repositoryRoot, 'dist/transaction/main.js')).href;
  const script = programs[program].replace("'dirfd/transaction'", JSON.stringify(entry));
  return [process.execPath, '--input-type=module', '-e', script, '--', ...args];
}
