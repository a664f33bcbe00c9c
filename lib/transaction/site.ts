/**
 * A root as transactions see it: the pinned directory, and in it `.dirfd-transactions` with the lock and a directory for each transaction.
 * Recovery does what it finds written there, so it must belong to this user and nobody else may write it.
 */

import { constants } from 'node:fs';
import { resolve } from 'node:path';
import { closeAll } from '../dirfd/close-all.js';
import { DirectoryFd } from '../dirfd/directory-fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { realPathOf } from '../dirfd/real-path.js';
import { unless } from '../dirfd/unless.js';
import { type ErrorSubject, FsError } from '../errors.js';
import { LockError, LockTimeoutError, operationError, StateError } from '../operation-errors.js';
import { identityOf } from './identity.js';
import { isId, LOCK, STATE_DIRECTORY } from './names.js';
import type { RootRecord } from './records.js';

/** A directory held by the caller, which stays the caller's, or a path that may be absolute and hold symlinks. */
export type TransactionRoot = string | Uint8Array | URL | DirectoryFd;

/** How long to wait for others. */
export interface WaitOptions {
  /** Milliseconds to wait for the lock of a root. Default 30,000. */
  readonly lockTimeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class Site implements AsyncDisposable {
  readonly root: DirectoryFd;
  readonly state: DirectoryFd;
  readonly record: RootRecord;

  private constructor(root: DirectoryFd, state: DirectoryFd, record: RootRecord) {
    this.root = root;
    this.state = state;
    this.record = record;
  }

  /** @returns undefined where there has never been a transaction, unless `create` */
  static async open(
    place: TransactionRoot,
    { create, name = '' }: { readonly create: boolean; readonly name?: string },
  ): Promise<Site | undefined> {
    // Renames do not leave a mount, and neither does a transaction.
    const root =
      place instanceof DirectoryFd
        ? await place.openDirectory('.', { resolution: 'no-symlinks', crossMounts: false })
        : await DirectoryFd.open(place, { crossMounts: false });
    let state: DirectoryFd | undefined;
    try {
      state = await openState(root, create);
      if (state === undefined) {
        await root.close();
        return undefined;
      }
      const label = place instanceof DirectoryFd ? place.path : root.path;
      // Only of those who begin a transaction is it written down.
      const path = (create && (await realTextOf(root))) || resolve(label);
      const { ino, birth } = identityOf(await root.stat());
      return new Site(root, state, { name, path, ino, birth });
    } catch (error) {
      await closeAll([state, root]).catch(() => {});
      throw error;
    }
  }

  /**
   * Exclusive for those who change names, shared for readers. Dispose of it to let go.
   *
   * @throws LockTimeoutError
   */
  async lock(shared: boolean, { lockTimeout = 30_000, signal }: WaitOptions): Promise<FileFd> {
    const subject: ErrorSubject = { verb: 'lock', directory: this.root.path, path: `${STATE_DIRECTORY}/${LOCK}` };
    const file =
      (await unless('ENOENT', this.state.openFile(LOCK, { flags: constants.O_RDWR }))) ?? (await this.#makeLock());
    try {
      await file.lock({ shared, timeout: lockTimeout, signal });
      const [held, named] = [await file.stat(), await this.state.stat(LOCK)];
      if (held.ino !== named.ino) {
        throw operationError(LockError, 'ERR_DIRFD_LOCK', 'somebody has put another file in its place', subject);
      }
      return file;
    } catch (error) {
      await file.close();
      if (!(error instanceof FsError) || error.code !== 'ERR_DIRFD_LOCK_TIMEOUT') throw error;
      const why = `others have held it for ${lockTimeout} ms`;
      throw operationError(LockTimeoutError, 'ERR_DIRFD_LOCK_TIMEOUT', why, subject, error);
    }
  }

  /** Made by who locks, so that who only looks makes nothing. Where it is, the name of the state directory is on the disk. */
  async #makeLock(): Promise<FileFd> {
    // Whoever has made the directory may have been killed before this.
    await this.state.sync();
    await this.root.sync();
    return await this.state.openFile(LOCK, { flags: constants.O_RDWR | constants.O_CREAT, mode: 0o600 });
  }

  /** Ids of all transactions that have left something. */
  async ids(): Promise<string[]> {
    const entries = await this.state.readdir('.', { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && isId(entry.name))
      .map(({ name }) => name)
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll([this.state, this.root]);
  }
}

/** Locks several roots, in an order that is the same for everybody, so that nobody waits in a circle. */
export async function lockAll(sites: readonly Site[], shared: boolean, options: WaitOptions): Promise<FileFd[]> {
  const ordered = [...sites].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const locks: FileFd[] = [];
  try {
    for (const site of ordered) locks.push(await site.lock(shared, options));
    return locks;
  } catch (error) {
    await unlockAll(locks);
    throw error;
  }
}

/** Never fails: nothing was written through these, and what is closed is unlocked, whatever close(2) says. */
export async function unlockAll(locks: readonly FileFd[]): Promise<void> {
  await Promise.allSettled(locks.map((lock) => lock.close()));
}

function keyOf({ record }: Site): string {
  return `${record.ino} ${record.birth}`;
}

/** @returns undefined without /proc, and for what no text can express */
async function realTextOf(root: DirectoryFd): Promise<string | undefined> {
  const real = await realPathOf(root, { verb: 'begin', directory: root.path });
  const text = real?.toString();
  return text !== undefined && real?.equals(Buffer.from(text)) ? text : undefined;
}

async function openState(root: DirectoryFd, create: boolean): Promise<DirectoryFd | undefined> {
  if (create) await unless('EEXIST', root.mkdir(STATE_DIRECTORY, { mode: 0o700 }));
  const opening = root.openDirectory(STATE_DIRECTORY);
  // Where it has just been made, that it is not there is a failure: somebody has removed it.
  const state = create ? await opening : await unless('ENOENT', opening);
  if (state === undefined) return undefined;
  try {
    const { uid, mode } = await state.stat();
    if (uid !== process.geteuid?.() || (mode & 0o077) !== 0) {
      const why = 'it does not belong to this user alone, so what it says cannot be trusted';
      throw operationError(StateError, 'ERR_DIRFD_RECOVERY', why, {
        verb: 'open',
        directory: root.path,
        path: STATE_DIRECTORY,
      });
    }
    return state;
  } catch (error) {
    await state.close();
    throw error;
  }
}
