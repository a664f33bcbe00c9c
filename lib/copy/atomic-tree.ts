/**
 * A whole tree that appears at once. It is copied into a private directory beside its place, and put there by one renameat2(2):
 *
 *   parent/.dirfd-…/tree   ── RENAME_NOREPLACE ──▶   parent/name
 *   parent/.dirfd-…/tree   ◀─ RENAME_EXCHANGE ──▶    parent/name, which is then removed
 *
 * The private directory is locked as long as the copy lives; native/ops/staging.h says how one that a killed copy has left is told from it.
 */

import { randomBytes } from 'node:crypto';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { INTERNAL } from '../dirfd/fd.js';
import type { Stat } from '../dirfd/stat.js';
import { type ErrorSubject, FsError, ownError } from '../errors.js';
import { native } from '../native/load.js';

const STAGING = /^\.dirfd-[0-9a-f]{32}$/;
/** What the tree is called while it is private. */
const TREE = 'tree';
const ATTEMPTS = 4;

export class AtomicTree {
  /** Where the tree is to be copied to: empty, and private. */
  readonly directory: DirectoryFd;
  readonly #parent: DirectoryFd;
  readonly #name: Buffer;
  readonly #source: DirectoryFd;
  readonly #present: Stat | undefined;
  readonly #staging: DirectoryFd;
  readonly #stagingName: string;
  readonly #subject: ErrorSubject;

  private constructor(place: AtomicPlace, staging: DirectoryFd, stagingName: string, directory: DirectoryFd) {
    this.directory = directory;
    this.#parent = place.parent;
    this.#name = place.name;
    this.#source = place.source;
    this.#present = place.present;
    this.#subject = place.subject;
    this.#staging = staging;
    this.#stagingName = stagingName;
  }

  /** Removes what killed copies have left there, and makes a private directory. */
  static async begin(place: AtomicPlace): Promise<AtomicTree> {
    const { parent, source } = place;
    for (const name of await parent.readdir('.')) {
      // What cannot be removed must not keep anybody from copying.
      if (STAGING.test(name)) await removeStaging(parent, name, source).catch(() => {});
    }
    for (let attempt = 1; ; attempt++) {
      const name = `.dirfd-${randomBytes(16).toString('hex')}`;
      await parent.mkdir(name, { mode: 0o700 });
      try {
        return await AtomicTree.#beginIn(place, name);
      } catch (error) {
        // Until it is locked it looks abandoned to another copy that begins here in this moment.
        const taken = error instanceof FsError && error.code === 'ENOENT' && attempt < ATTEMPTS;
        if (!taken) throw error;
      }
    }
  }

  static async #beginIn(place: AtomicPlace, name: string): Promise<AtomicTree> {
    const staging = await place.parent.openDirectory(name);
    try {
      // Refused where directories cannot be locked: then nobody takes it for abandoned either.
      await native.lockDirectory(staging[INTERNAL].handle).catch(() => {});
      await staging.mkdir(TREE, { mode: 0o700 });
      return new AtomicTree(place, staging, name, await staging.openDirectory(TREE));
    } catch (error) {
      await staging.close();
      await place.parent.rmdir(name).catch(() => {});
      throw error;
    }
  }

  /** Puts the tree in its place. */
  async publish(durable: boolean): Promise<void> {
    if (durable) await this.directory.syncFileSystem();
    if (this.#present) await this.#exchange(this.#present);
    else await this.#staging.rename(TREE, this.#parent, this.#name, { noReplace: true });
    if (durable) await this.#parent.sync();
  }

  /** Removes what is not in its place: the tree, or the one that stood there before. */
  async end(): Promise<void> {
    await this.directory.close();
    await this.#staging.close();
    await removeStaging(this.#parent, this.#stagingName, this.#source);
  }

  async #exchange(present: Stat): Promise<void> {
    const exchange = (): Promise<void> =>
      this.#staging.rename(TREE, this.#parent, this.#name, { exchange: true }).catch((error: unknown) => {
        if (!(error instanceof FsError) || error.code !== 'EINVAL') throw error;
        const why = 'this file system cannot exchange two directories in one step';
        throw ownError('ERR_DIRFD_UNSUPPORTED', why, this.#subject, error);
      });
    await exchange();
    const replaced = await this.#staging.stat(TREE);
    if (replaced.ino === present.ino && replaced.dev === present.dev) return;
    // Another directory has taken the place since it was looked at, and nobody has agreed to lose that one.
    await exchange();
    throw ownError('ERR_DIRFD_CHANGED', 'the destination was replaced during the copy', this.#subject);
  }
}

export interface AtomicPlace {
  readonly parent: DirectoryFd;
  readonly name: Buffer;
  /** Never removed, wherever it may have been moved. */
  readonly source: DirectoryFd;
  /** The directory that is to be replaced. */
  readonly present: Stat | undefined;
  readonly subject: ErrorSubject;
}

async function removeStaging(parent: DirectoryFd, name: string, source: DirectoryFd): Promise<void> {
  const job = native.newJob();
  await native.removeAbandoned(parent[INTERNAL].handle, Buffer.from(name), job, source[INTERNAL].handle);
}
