/** FileLock: the lock of one file, shared or exclusive, between processes, threads and tasks. */

import { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import { toMode } from '../dirfd/flags.js';
import { holdDirectory } from '../dirfd/hold-directory.js';
import { checkRelative, type RelativePath } from '../dirfd/path.js';
import { type ErrorSubject, ownError } from '../errors.js';
import { type BreakLockOptions, breakLock } from './break.js';
import { Claim, type LockWaitOptions } from './claim.js';
import type { LockHolder } from './lock-record.js';
import { ownerOf } from './owner.js';

/** How a lock file is opened. */
export interface FileLockOptions extends SignalOptions {
  /** Permission bits of a lock file that has to be made, less the umask. Default 0o600. Who can open it can lock it, and block others. */
  readonly mode?: number | string | undefined;
  /** Accept network file systems, where the lock may be unknown to other machines. Default false: refused with a LockError. */
  readonly allowNetwork?: boolean | undefined;
  /** The name under which this lock is looked for in deadlocks. Default: that of {@link withLockOwner}, or none. */
  readonly owner?: string | undefined;
}

/** Which lock to take, and how long to wait for it. */
export interface TakeLockOptions extends LockWaitOptions {
  /** Beside other shared locks. Default false: alone. */
  readonly shared?: boolean | undefined;
}

/**
 * An open-file-description lock (fcntl(2)) on a file of its own: advisory, released by the kernel when the process ends, however it ends.
 * A lock that is held is never lost by an upgrade, a downgrade or a slow event loop. The file is made where there is none and never
 * removed. Close it with `await using`, or close().
 */
export class FileLock implements AsyncDisposable {
  readonly #directory: DirectoryFd;
  readonly #claim: Claim;
  readonly #path: string;
  #closing: Promise<void> | undefined;

  private constructor(directory: DirectoryFd, name: RelativePath, options: FileLockOptions, subject: ErrorSubject) {
    const mode = toMode(options.mode ?? 0o600, subject);
    const place = { directory, name, mode, allowNetwork: options.allowNetwork === true };
    this.#directory = directory;
    this.#path = Buffer.from(name).toString('utf8');
    this.#claim = new Claim(place, ownerOf(options.owner, subject), (verb) => ({ ...subject, verb }));
  }

  /**
   * Opens or makes a lock file; takes no lock yet.
   *
   * @param directory held open until close(), whatever becomes of the handle that was given
   * @param name of the lock file in it: a regular file without hard links, never through a symlink
   * @throws FsError ELOOP, ERR_DIRFD_NOT_REGULAR, EACCES; LockError for hard links and network file systems
   */
  static async open(
    directory: DirectoryFd | string | Uint8Array | URL,
    name: RelativePath,
    options: FileLockOptions = {},
  ): Promise<FileLock> {
    const label = directory instanceof DirectoryFd ? directory.path : String(directory);
    const subject = { verb: 'lock', directory: label, path: name };
    checkRelative(name, subject);
    const { signal } = options;
    const held = await holdDirectory(directory, { signal });
    try {
      const lock = new FileLock(held, name, options, subject);
      await lock.#claim.open(signal);
      return lock;
    } catch (error) {
      await held.close();
      throw error;
    }
  }

  /** Relative to the directory. */
  get path(): string {
    return this.#path;
  }

  /** What is held; undefined: nothing. */
  get held(): 'shared' | 'exclusive' | undefined {
    return this.#claim.kind === 'none' ? undefined : this.#claim.kind;
  }

  /** False when nothing is held, and when the lock was broken: then others may be inside, too. */
  get valid(): boolean {
    return this.#claim.isValid();
  }

  /**
   * Takes the lock, or changes the one that is held: exclusive over shared waits for the other holders and keeps the shared lock until
   * then; shared over exclusive lets others in at once. `timeout` is for ever by default.
   *
   * @throws AlreadyLockedError, LockTimeoutError, DeadlockError; the signal's reason
   */
  async lock(options: TakeLockOptions = {}): Promise<void> {
    this.#checkOpen('lock');
    await this.#claim.lock(options.shared === true, options, Number.POSITIVE_INFINITY);
  }

  /** As {@link lock}, without waiting: false where it is not to be had, or others wait for it; what was held is still held then. */
  async tryLock(options: Pick<TakeLockOptions, 'shared'> = {}): Promise<boolean> {
    this.#checkOpen('tryLock');
    return this.#claim.tryLock(options.shared === true);
  }

  /** @throws LockError where nothing is held */
  async unlock(): Promise<void> {
    this.#checkOpen('unlock');
    this.#claim.unlock();
  }

  /** Who holds the lock, this process included; undefined: nobody. For people: by the time it is read, it may be another. */
  async holder(): Promise<LockHolder | undefined> {
    this.#checkOpen('holder');
    return this.#claim.holder();
  }

  /**
   * Breaks the lock of whoever holds it, by a new file of the same name. The holder is not stopped: it goes on as if it held the lock, and
   * learns it only by {@link valid}. Stop it first.
   *
   * @returns who held it; undefined where nobody did, and nothing was changed
   */
  async breakLock(options: BreakLockOptions = {}): Promise<LockHolder | undefined> {
    this.#checkOpen('breakLock');
    return breakLock(this.#claim, options);
  }

  /**
   * The number of the descriptor that the lock belongs to, for a child process to inherit: then the lock lives until both have ended, and
   * does not end with this process alone. -1 once closed. Whoever closes it elsewhere breaks this object.
   */
  unsafeFd(): number {
    return this.#claim.file?.unsafeFd() ?? -1;
  }

  /** Unlocks, and closes the file; whoever waits in {@link lock} is told ERR_DIRFD_CLOSED. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #finish(): Promise<void> {
    try {
      await this.#claim.end();
    } finally {
      await this.#directory.close();
    }
  }

  #checkOpen(verb: string): void {
    if (!this.#closing) return;
    const subject = { verb, directory: this.#directory.path, path: this.#path };
    throw ownError('ERR_DIRFD_CLOSED', 'this FileLock is closed', subject);
  }
}
