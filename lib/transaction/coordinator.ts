/**
 * What a root that is not the first has of a transaction, besides what is staged there: where the log is, and what can be told without it, for the case
 * that the first root is gone.
 *
 *   coordinator   names the first root; locked as long as the process lives
 *   prepared      is on the disk before a commit record can be: without it the transaction has never been committed
 */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { unless } from '../dirfd/unless.js';
import type { RootRecord } from './records.js';

const [COORDINATOR, PREPARED] = ['coordinator', 'prepared'];

export interface CoordinatorRecord {
  readonly id: string;
  readonly root: RootRecord;
}

/** Milliseconds for which {@link fateIn} may be in the way. */
const PATIENCE = 10_000;

/** @returns what is to be held open until the transaction ends */
export async function writeCoordinator(work: DirectoryFd, record: CoordinatorRecord): Promise<FileFd> {
  const file = await work.openFile(COORDINATOR, { flags: 'wx+', mode: 0o600 });
  try {
    await file.lock({ timeout: PATIENCE });
    await file.writeFile(JSON.stringify(record));
    await file.sync();
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Whoever calls it syncs the directory. */
export async function markPrepared(work: DirectoryFd): Promise<void> {
  await using _file = await work.openFile(PREPARED, { flags: 'w', mode: 0o600 });
}

/** @returns undefined in the first root */
export async function coordinatorIn(work: DirectoryFd): Promise<CoordinatorRecord | undefined> {
  const text = await unless('ENOENT', work.readFile(COORDINATOR, { encoding: 'utf8' }));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as CoordinatorRecord;
  } catch {
    // Torn by a crash, which came before the commit, as this file is synced before that.
    return undefined;
  }
}

/** How far a transaction has come whose log is out of reach. Prepared: nobody knows whether it was committed. */
export async function fateIn(work: DirectoryFd): Promise<'active' | 'staged' | 'prepared'> {
  // Who looks without the lock of the root may come when it is being removed.
  await using file = await unless('ENOENT', work.openFile(COORDINATOR));
  if (file && !(await file.tryLock({ shared: true }))) return 'active';
  return (await work.exists(PREPARED)) ? 'prepared' : 'staged';
}
