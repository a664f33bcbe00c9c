/**
 * The directories in which steps are taken: each is opened by its path, held, and compared by inode with what the step says; at the end all that
 * were opened are synced. Of more than can be synced one by one, the file system is.
 */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { isAbsent } from './absent.js';
import { withinOf } from './compile.js';
import { SYNCED_ONE_BY_ONE } from './durable.js';
import { identityOf } from './identity.js';
import type { SyncInode } from './mode.js';
import { toBytes } from './names.js';
import type { Step } from './steps.js';

/** Where a root's names are, and where its slots. */
export interface Base {
  readonly root: DirectoryFd;
  readonly work: DirectoryFd;
}

/** To be closed by its owner. */
export class Directories {
  readonly #bases: readonly Base[];
  /** By root, inode and time of birth. */
  readonly #held = new Map<string, DirectoryFd>();
  #inodes = 0;
  #tooMany = false;

  constructor(bases: readonly Base[]) {
    this.#bases = bases;
  }

  /** The directory that a step is about, held; undefined where another one, or none, has its path. */
  async open(step: Step): Promise<DirectoryFd | undefined> {
    const directory = await this.find(step);
    if (directory === undefined) return undefined;
    const key = `${step.root} ${step.within}`;
    const known = this.#held.get(key);
    if (known) {
      await directory.close();
      return known;
    }
    if (this.#held.size >= SYNCED_ONE_BY_ONE) {
      this.#tooMany = true;
      await this.close();
    }
    this.#held.set(key, directory);
    return directory;
  }

  /** The same, for the caller to close. */
  async find({ root, parent, within }: Step): Promise<DirectoryFd | undefined> {
    let directory: DirectoryFd;
    try {
      directory = await this.#bases[root]!.root.openDirectory(parent === '' ? '.' : toBytes(parent));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
    let isThis = false;
    try {
      isThis = withinOf(identityOf(await directory.stat())) === within;
    } finally {
      if (!isThis) await directory.close();
    }
    return isThis ? directory : undefined;
  }

  /** For an inode that was changed itself, while its directory is held open. */
  readonly syncInode: SyncInode = async (inode) => {
    if (inode === undefined || ++this.#inodes > SYNCED_ONE_BY_ONE) this.#tooMany = true;
    else await inode.sync();
  };

  /** Resolves when all that was changed in the directories that were opened, and in the transaction's own, is on the disk. */
  async sync(): Promise<void> {
    if (this.#tooMany) {
      for (const { root } of this.#bases) await root.syncFileSystem();
    } else {
      const works = this.#bases.map(({ work }) => work);
      await Promise.all([...this.#held.values(), ...works].map((directory) => directory.sync()));
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#held.values()].map((directory) => directory.close()));
    this.#held.clear();
  }
}
