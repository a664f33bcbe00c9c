/**
 * The directory in which versions are kept.
 *
 *   STORE/store.lock            shared by all who make or read versions; exclusive while one is taken away
 *   STORE/versions/ID/          a version: manifest.json and content/
 *   STORE/versions/.new-ID/     one that is being made; the rename to ID is the moment from which it exists
 *   STORE/versions/.old-ID/     one that is being removed; the rename from ID is the moment from which it does not
 *   STORE/points/ID.json        recovery points: see recovery.ts
 *
 * Names with a dot are debris as soon as nobody holds the lock. A prune and a cleanup hold it alone and remove them; so does who makes a version
 * and is alone at the beginning.
 */

import { randomBytes } from 'node:crypto';
import { closeAll } from '../dirfd/close-all.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import { holdDirectory } from '../dirfd/hold-directory.js';
import { type ErrorSubject, FsError } from '../errors.js';
import { FileLock } from '../lock/file-lock.js';
import { operationError, StorageError, VersionError } from '../operation-errors.js';

const ID = /^\d{8}T\d{9}Z-[0-9a-f]{8}$/;

/** What one use of the store holds open. */
export interface StoreUse extends AsyncDisposable {
  readonly versions: DirectoryFd;
  /** Made before, and nobody's any more. */
  readonly debris: readonly string[];
}

export class Store {
  readonly root: DirectoryFd;

  private constructor(root: DirectoryFd) {
    this.root = root;
  }

  static async open(place: DirectoryFd | string | URL, options: SignalOptions): Promise<Store> {
    const root = await holdDirectory(place, options);
    return new Store(root);
  }

  /** Makes the directory a store, where it is none: for who puts the first thing into it. */
  async make(): Promise<void> {
    try {
      for (const name of ['versions', 'points']) await this.root.mkdir(name, { mode: 0o700, recursive: true });
    } catch (error) {
      const subject = { verb: 'open', directory: this.root.path };
      throw operationError(StorageError, 'ERR_DIRFD_BACKUP', 'the store cannot be used', subject, error);
    }
  }

  /** Whether it is to become a store. Any other directory that is none was not meant: it is refused. */
  async isEmpty(): Promise<boolean> {
    return (await this.root.readdir()).length === 0;
  }

  /** @param name 'versions' or 'points' @throws StorageError where this is no store */
  async openPart(name: string): Promise<DirectoryFd> {
    try {
      return await this.root.openDirectory(name);
    } catch (error) {
      if (!(error instanceof FsError) || error.code !== 'ENOENT') throw error;
      const subject = { verb: 'open', directory: this.root.path };
      throw operationError(StorageError, 'ERR_DIRFD_BACKUP', 'no backup store', subject, error);
    }
  }

  /** Holds the lock shared, so that no version goes away; finds debris where nobody else holds it. */
  async use({ signal }: SignalOptions): Promise<StoreUse> {
    return this.#hold(async (lock, versions) => {
      const debris = (await lock.tryLock()) ? (await versions.readdir()).filter((name) => name.startsWith('.')) : [];
      await lock.lock({ shared: true, signal });
      return debris;
    });
  }

  /** Holds the lock alone: nobody makes or reads a version. */
  async useAlone(options: SignalOptions & { readonly timeout?: number | undefined }): Promise<StoreUse> {
    return this.#hold(async (lock, versions) => {
      await lock.lock(options);
      return (await versions.readdir()).filter((name) => name.startsWith('.'));
    });
  }

  close(): Promise<void> {
    return this.root.close();
  }

  async #hold(take: (lock: FileLock, versions: DirectoryFd) => Promise<readonly string[]>): Promise<StoreUse> {
    // First: what is no store gets no lock file either.
    const versions = await this.openPart('versions');
    let lock: FileLock | undefined;
    const end = () => closeAll([versions, lock]);
    try {
      lock = await FileLock.open(this.root, 'store.lock', { allowNetwork: true });
      const debris = await take(lock, versions);
      return { versions, debris, [Symbol.asyncDispose]: end };
    } catch (error) {
      await end().catch(() => {});
      throw error;
    }
  }
}

/** Sorts by time, and is like no other. */
export function newId(time: Date): string {
  return `${time.toISOString().replace(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`;
}

export function isId(name: string): boolean {
  return ID.test(name);
}

/** @throws VersionError where there is none */
export async function openVersion(versions: DirectoryFd, id: string, subject: ErrorSubject): Promise<DirectoryFd> {
  const told = { ...subject, path: String(id) };
  if (typeof id !== 'string' || !isId(id)) {
    throw operationError(VersionError, 'ERR_DIRFD_BACKUP', 'no id of a version', told);
  }
  try {
    return await versions.openDirectory(id);
  } catch (error) {
    if (!(error instanceof FsError) || error.code !== 'ENOENT') throw error;
    throw operationError(VersionError, 'ERR_DIRFD_BACKUP', 'no such version', told, error);
  }
}
