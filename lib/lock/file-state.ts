/**
 * FileState: who uses a file in this thread, and the lock that keeps others out: readers beside each other, a writer alone. A count over one FileLock;
 * nobody is waited for.
 *
 *   free ──acquire('read')──▶ read, 1 ◀──acquire('read'), release()──▶ read, 2 …
 *     └────acquire('write')─▶ write, 1 ──release()──▶ free
 */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { holdDirectory } from '../dirfd/hold-directory.js';
import { checkRelative, type RelativePath } from '../dirfd/path.js';
import { type ErrorSubject, ownError } from '../errors.js';
import { AlreadyLockedError, LockError, operationError } from '../operation-errors.js';
import { FileLock, type FileLockOptions } from './file-lock.js';
import { describeHolder, type LockHolder } from './lock-record.js';

/** What a file is used for. */
export type FileStateMode = 'read' | 'write';

/** One use of a file, until release() or the end of an `await using` block. */
export interface FileUse extends AsyncDisposable {
  readonly mode: FileStateMode;
  /** Ends this use, once: calling it again does nothing more. */
  release(): Promise<void>;
}

const SUFFIX = Buffer.from('.lock');

/**
 * The state of one file: its mode of use, by how many, and since when. The lock lies on `NAME.lock` beside it, as that of a {@link LockManager} in
 * the same directory does. Close it with `await using`, or close().
 */
export class FileState implements AsyncDisposable {
  readonly #directory: DirectoryFd;
  readonly #path: RelativePath;
  readonly #lock: FileLock;
  #mode: FileStateMode | undefined;
  #references = 0;
  #lastAccess: Date | undefined;
  #closing: Promise<void> | undefined;
  /** One after the other, however they are awaited. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(directory: DirectoryFd, path: RelativePath, lock: FileLock) {
    this.#directory = directory;
    this.#path = path;
    this.#lock = lock;
    open.add(this);
  }

  /**
   * Takes no lock yet; the file itself need not be there.
   *
   * @param directory held open until close(), whatever becomes of the handle that was given
   * @throws as {@link FileLock.open}
   */
  static async open(
    directory: DirectoryFd | string | Uint8Array | URL,
    path: RelativePath,
    options: FileLockOptions = {},
  ): Promise<FileState> {
    const held = await holdDirectory(directory, options);
    try {
      checkFile(path, { verb: 'open', directory: held.path, path });
      const lock = await FileLock.open(held, Buffer.concat([Buffer.from(path), SUFFIX]), options);
      return new FileState(held, typeof path === 'string' ? path : Buffer.from(path), lock);
    } catch (error) {
      await held.close();
      throw error;
    }
  }

  /** Of the file, relative to the directory. */
  get path(): string {
    return Buffer.from(this.#path).toString('utf8');
  }

  /** What this thread uses it for; undefined: nothing. */
  get mode(): FileStateMode | undefined {
    return this.#mode;
  }

  /** How many uses there are, through this object. */
  get referenceCount(): number {
    return this.#references;
  }

  get inUse(): boolean {
    return this.#references > 0;
  }

  /** When it was last acquired or released; undefined: never. */
  get lastAccess(): Date | undefined {
    return this.#lastAccess;
  }

  /** False when it is not in use, and when its lock was broken: then others may be inside, too. */
  get valid(): boolean {
    return this.#lock.valid;
  }

  /**
   * Begins to use the file, or refuses at once: a writer beside anybody, and anybody beside a writer, in this process or another. Who wants to wait
   * takes a {@link FileLock}.
   *
   * @throws AlreadyLockedError, which says who holds it where that is known
   */
  acquire(mode: FileStateMode): Promise<FileUse> {
    return this.#alone(async () => {
      const subject = this.#subject('acquire');
      if (mode !== 'read' && mode !== 'write') {
        throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `mode is 'read' or 'write', not '${String(mode)}'`, subject);
      }
      if (this.#mode === undefined) await this.#lockFor(mode, subject);
      else if (this.#mode === 'write' || mode === 'write')
        throw this.#refusal(`in use here, to ${this.#mode}`, subject);
      this.#mode = mode;
      this.#references++;
      this.#lastAccess = new Date();
      let ended: Promise<void> | undefined;
      const release = (): Promise<void> => {
        ended ??= this.release();
        return ended;
      };
      return { mode, release, [Symbol.asyncDispose]: release };
    });
  }

  /** Ends one use. @throws LockError where there is none */
  release(): Promise<void> {
    return this.#alone(async () => {
      if (this.#references === 0) {
        throw operationError(LockError, 'ERR_DIRFD_LOCK', 'not in use', this.#subject('release'));
      }
      if (this.#references === 1) await this.#lock.unlock();
      this.#references--;
      if (this.#references === 0) this.#mode = undefined;
      this.#lastAccess = new Date();
    });
  }

  /** Who has the lock, this process included. See {@link FileLock.holder}. */
  holder(): Promise<LockHolder | undefined> {
    return this.#lock.holder();
  }

  /** Ends all uses. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal Where it is, for {@link persistStates}. */
  get place(): { readonly directory: DirectoryFd; readonly path: RelativePath } {
    return { directory: this.#directory, path: this.#path };
  }

  async #lockFor(mode: FileStateMode, subject: ErrorSubject): Promise<void> {
    if (await this.#lock.tryLock({ shared: mode === 'read' })) return;
    const holder = await this.#lock.holder();
    throw this.#refusal(holder ? describeHolder(holder) : 'held, or waited for, by somebody else', subject);
  }

  #refusal(why: string, subject: ErrorSubject): Error {
    return operationError(AlreadyLockedError, 'ERR_DIRFD_LOCK', why, subject);
  }

  async #finish(): Promise<void> {
    open.delete(this);
    try {
      await this.#lock.close();
    } finally {
      this.#references = 0;
      this.#mode = undefined;
      await this.#directory.close();
    }
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      if (this.#closing) throw ownError('ERR_DIRFD_CLOSED', 'this FileState is closed', this.#subject('acquire'));
      return work();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  #subject(verb: string): ErrorSubject {
    return { verb, directory: this.#directory.path, path: this.#path };
  }
}

/** `a/.lock` would be the lock of something in `a`. */
function checkFile(path: RelativePath, subject: ErrorSubject): void {
  checkRelative(path, subject);
  if (!/(^|\/)\.?$/.test(Buffer.from(path).toString('latin1'))) return;
  throw ownError('ERR_DIRFD_INVALID_PATH', 'the path names a directory, not a file', subject);
}

const open = new Set<FileState>();

/** @internal All that this thread has open, in the order in which they were opened. */
export function openStates(): readonly FileState[] {
  return [...open];
}
