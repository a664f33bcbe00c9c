/**
 * A whole tree that appears at once. It is copied into a private directory beside its place, and put there by one renameat2(2):
 *
 *   parent/.dirfd-…/tree   ── RENAME_NOREPLACE ──▶   parent/name
 *   parent/.dirfd-…/tree   ◀─ RENAME_EXCHANGE ──▶    parent/name, which is then removed
 *
 * The private directory is locked as long as the copy lives; native/ops/staging.h says how one that a killed copy has left is told from it.
 */

import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { INTERNAL } from '../dirfd/fd.js';
import type { Stat } from '../dirfd/stat.js';
import { type ErrorSubject, FsError, ownError, shownPath, toFsError } from '../errors.js';
import { native } from '../native/load.js';

const STAGING = /^\.dirfd-[0-9a-f]{32}$/;
/** What the tree is called while it is private. */
const TREE = 'tree';
/** What is not this copy's to remove: a private directory that holds this name is nobody's to remove. */
const KEPT = 'kept';
const ATTEMPTS = 4;
const OWNER_WRITES = 0o200;
/** Of flock(2) where a file system has no locks, or (NFS) none for what is open for reading only. There nothing is ever taken for abandoned. */
const LOCKLESS: readonly number[] = ['ENOLCK', 'EOPNOTSUPP', 'ENOSYS', 'EBADF', 'EINVAL'].map(
  (name) => constants.errno[name as keyof typeof constants.errno],
);

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
  readonly #own: Stat;

  private constructor(
    place: AtomicPlace,
    staging: DirectoryFd,
    stagingName: string,
    directory: DirectoryFd,
    own: Stat,
  ) {
    this.directory = directory;
    this.#own = own;
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
        // Until it is locked it looks abandoned to another copy that begins here in this moment, and has it locked or removed.
        const isTaken = error instanceof FsError && (error.code === 'ENOENT' || error.code === 'EAGAIN');
        const taken = isTaken && attempt < ATTEMPTS;
        if (!taken) throw error;
      }
    }
  }

  static async #beginIn(place: AtomicPlace, name: string): Promise<AtomicTree> {
    const staging = await place.parent.openDirectory(name);
    try {
      await lock(staging, name, place);
      await staging.mkdir(TREE, { mode: 0o700 });
      const directory = await staging.openDirectory(TREE);
      return new AtomicTree(place, staging, name, directory, await directory.stat('.'));
    } catch (error) {
      await staging.close();
      await place.parent.rmdir(name).catch(() => {});
      throw error;
    }
  }

  /** Puts the tree in its place. */
  async publish(durable: boolean): Promise<void> {
    if (durable) await this.directory.syncFileSystem();
    const { mtimeNs } = await this.directory.stat('.');
    await this.#move().catch((error: unknown) => {
      if (error instanceof FsError && error.code === 'EACCES') return this.#moveWritable();
      throw error;
    });
    // On xfs to be moved is a change of the directory, with a time of its own.
    if ((await this.directory.stat('.')).mtimeNs !== mtimeNs) await this.directory.utimes('.', null, mtimeNs);
    if (durable) await this.#parent.sync();
  }

  /** A directory that moves gets another '..', for which its owner needs the right to write to it: given for the moment of the move. */
  async #moveWritable(): Promise<void> {
    await using standing = this.#present && (await this.#parent.openDirectory(this.#name));
    const modes = new Map<DirectoryFd, number>();
    for (const directory of standing ? [this.directory, standing] : [this.directory]) {
      const mode = (await directory.stat('.')).mode & 0o7777;
      modes.set(directory, mode);
      await directory.chmod('.', mode | OWNER_WRITES);
    }
    try {
      await this.#move();
      if (standing) modes.delete(standing); // it is to be removed, which takes the same right
    } finally {
      for (const [directory, mode] of modes) await directory.chmod('.', mode);
    }
  }

  async #move(): Promise<void> {
    if (this.#present) await this.#exchange(this.#present);
    else await this.#staging.rename(TREE, this.#parent, this.#name, { noReplace: true });
  }

  /** Removes what is not in its place: the tree, or the one that stood there before. Nothing else: that is kept, and the error says where. */
  async end(): Promise<void> {
    try {
      await this.directory.close();
      const left = await this.#seen();
      if (left && !this.#isLost(left)) throw await this.#keep();
      if (left) await this.#empty();
      // Unlocked last: until it has lost its name nobody may take it for abandoned.
      await this.#parent.rmdir(this.#stagingName);
    } finally {
      await this.#staging.close();
    }
  }

  /** What nobody minds losing: what this copy has made, and what it was told to replace. */
  #isLost(found: Stat): boolean {
    return isSame(found, this.#own) || (this.#present !== undefined && isSame(found, this.#present));
  }

  /** What is private now. */
  async #seen(): Promise<Stat | undefined> {
    try {
      return await this.#staging.stat(TREE);
    } catch (error) {
      if (error instanceof FsError && error.code === 'ENOENT') return undefined;
      // Not known, and so not to be removed.
      throw await this.#keep(error);
    }
  }

  async #empty(): Promise<void> {
    const tree = Buffer.from(`${TREE}\0`);
    const [staging, source] = [this.#staging[INTERNAL].handle, this.#source[INTERNAL].handle];
    const { failures } = await native.removeTrees(staging, tree, native.newJob(), source, true);
    const [first] = failures;
    if (!first) return;
    const path = `${this.#stagingName}/${first.path.toString('utf8')}`;
    throw toFsError(first, native.callNames, { verb: 'copy', path, directory: this.#parent.path });
  }

  /** Under a name that is never removed. @returns the error that says where it is */
  async #keep(cause?: unknown): Promise<FsError> {
    const name = await this.#staging.rename(TREE, this.#staging, KEPT, { noReplace: true }).then(
      () => KEPT,
      () => TREE,
    );
    const where = shownPath(`${this.#parent.path}/${this.#stagingName}/${name}`);
    const why = `the destination was replaced during the copy, and what stood there is kept: '${where}'`;
    return ownError('ERR_DIRFD_CHANGED', why, this.#subject, cause);
  }

  async #exchange(present: Stat): Promise<void> {
    const exchange = (): Promise<void> =>
      this.#staging.rename(TREE, this.#parent, this.#name, { exchange: true }).catch((error: unknown) => {
        if (!(error instanceof FsError) || error.code !== 'EINVAL') throw error;
        const why = 'this file system cannot exchange two directories in one step';
        throw ownError('ERR_DIRFD_UNSUPPORTED', why, this.#subject, error);
      });
    await exchange();
    const replaced = await this.#seen();
    if (replaced && isSame(replaced, present)) return;
    // Another directory has taken the place since it was looked at, and nobody has agreed to lose that one.
    const refused = await exchange().then(
      () => undefined,
      (error: unknown) => error,
    );
    const left = await this.#seen();
    if (left && !isSame(left, this.#own)) throw await this.#keep(refused);
    throw ownError('ERR_DIRFD_CHANGED', 'the destination was replaced during the copy', this.#subject, refused);
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

/** An inode number may be given away and taken again; the time of birth tells. */
function isSame(a: Stat, b: Stat): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.birthtimeNs === b.birthtimeNs;
}

/** EAGAIN: another copy has it, and is about to remove it. */
async function lock(staging: DirectoryFd, name: string, { parent }: AtomicPlace): Promise<void> {
  try {
    await native.lockDirectory(staging[INTERNAL].handle);
  } catch (thrown) {
    const error = toFsError(thrown, native.callNames, { verb: 'copy', path: name, directory: parent.path });
    if (!(error instanceof FsError) || !LOCKLESS.includes(-(error.errno ?? 0))) throw error;
  }
}

async function removeStaging(parent: DirectoryFd, name: string, source: DirectoryFd): Promise<void> {
  const job = native.newJob();
  await native.removeAbandoned(parent[INTERNAL].handle, Buffer.from(name), job, source[INTERNAL].handle);
}
