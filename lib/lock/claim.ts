/**
 * One claim to one lock, from the name to the kernel: what FileLock and Lease have in common.
 *
 *   none ──lock──▶ shared ◀──upgrade, downgrade──▶ exclusive ──unlock──▶ none
 */

import type { SignalOptions } from '../dirfd/fd.js';
import { checkWait } from '../dirfd/file-lock.js';
import { type ErrorSubject, ownError } from '../errors.js';
import { AlreadyLockedError, LockError, operationError } from '../operation-errors.js';
import { type Claimant, LockFile, type LockPlace, type Patience } from './lock-file.js';
import type { LockHolder } from './lock-record.js';
import type { Owner } from './owner.js';

/** How long to wait for a lock, and before whom. */
export interface LockWaitOptions extends SignalOptions {
  /** Milliseconds to wait at most. */
  readonly timeout?: number | undefined;
  /** Within this thread, who asks with a higher one goes first; of equals, who asked first. Default 0. */
  readonly priority?: number | undefined;
}

/** How often the file may be another one by the time its lock is had. */
const REPLACED_LIMIT = 64;

export class Claim implements Claimant {
  kind: Claimant['kind'] = 'none';
  readonly place: LockPlace;
  readonly #subject: (verb: string) => ErrorSubject;
  owner: Owner;
  #file: LockFile | undefined;
  #busy = false;
  #ended = false;

  constructor(place: LockPlace, owner: Owner, subject: (verb: string) => ErrorSubject, file?: LockFile) {
    this.place = place;
    this.owner = owner;
    this.#subject = subject;
    this.#file = file;
  }

  get file(): LockFile | undefined {
    return this.#file;
  }

  async open(signal?: AbortSignal): Promise<LockFile> {
    const file = this.#file ?? (await this.#openAnew(signal));
    // Nobody would withdraw what is asked for after the end.
    if (this.#ended) throw this.#closedError();
    return file;
  }

  async #openAnew(signal?: AbortSignal): Promise<LockFile> {
    const file = await LockFile.open(this.place, this.#subject('lock'), signal);
    if (this.#ended) {
      await file.drop();
      throw this.#closedError();
    }
    this.#file = file;
    return file;
  }

  /**
   * @returns whether it was to be had at once
   * @throws AlreadyLockedError, LockTimeoutError, DeadlockError
   */
  async lock(shared: boolean, options: LockWaitOptions, defaultTimeout: number): Promise<boolean> {
    const subject = this.#subject('lock');
    const { timeout = defaultTimeout, priority = 0, signal } = options;
    checkWait({ timeout, signal }, subject);
    if (typeof priority !== 'number' || !Number.isFinite(priority)) {
      throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `priority must be a number, not ${String(priority)}`, subject);
    }
    const patience = { deadline: performance.now() + timeout, timeout, priority, signal };
    return this.#alone(subject, () => this.#reach(shared, patience, subject));
  }

  async tryLock(shared: boolean): Promise<boolean> {
    const subject = this.#subject('tryLock');
    return this.#alone(subject, () => this.#try(shared, subject));
  }

  unlock(): void {
    const subject = this.#subject('unlock');
    if (this.#busy) throw ownError('ERR_DIRFD_BUSY', 'the lock is being waited for', subject);
    if (this.kind === 'none') throw operationError(LockError, 'ERR_DIRFD_LOCK', 'not locked', subject);
    this.#file?.release(this);
  }

  /** False where the lock file is no longer the one that is locked: its lock was broken, or the file removed. */
  isValid(): boolean {
    return this.kind !== 'none' && this.#file?.isAt(this.place) === true;
  }

  async holder(): Promise<LockHolder | undefined> {
    return (await this.#current()).holder(this.#subject('holder'));
  }

  /** Gives up what is held, and what is waited for. */
  release(): void {
    this.#file?.withdraw(this, () => this.#closedError());
    if (this.kind !== 'none') this.#file?.release(this);
  }

  /** Lets go of lock and file, for good. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#letGo();
  }

  async #letGo(): Promise<void> {
    const file = this.#file;
    try {
      this.release();
    } finally {
      this.#file = undefined;
      await file?.drop();
    }
  }

  /** @returns whether it was to be had at once */
  async #reach(shared: boolean, patience: Patience, subject: ErrorSubject): Promise<boolean> {
    if (this.#change(shared, subject)) return true;
    const isUpgrade = this.kind === 'shared';
    let atOnce = true;
    for (let attempt = 0; attempt < REPLACED_LIMIT; attempt++) {
      const file = this.#file ?? (await this.open(patience.signal));
      if (!file.tryAcquire(this, shared)) {
        atOnce = false;
        // In the queue of a file that has lost its name one would wait for whoever nobody else waits for.
        if (!isUpgrade && !file.isAt(this.place)) {
          await this.#letGo();
          continue;
        }
        await file.acquire(this, shared, patience, subject);
      }
      // The name may have got another file while this one was waited for; an upgrade keeps what it has.
      if (isUpgrade || file.isAt(this.place)) return atOnce;
      await this.#letGo();
    }
    throw this.#replacedError(subject);
  }

  async #try(shared: boolean, subject: ErrorSubject): Promise<boolean> {
    if (this.#change(shared, subject)) return true;
    const isUpgrade = this.kind === 'shared';
    for (let attempt = 0; attempt < REPLACED_LIMIT; attempt++) {
      const file = this.#file ?? (await this.open());
      const had = file.tryAcquire(this, shared);
      // Nor does the holder of a file that has lost its name tell anything about the one that has it.
      if (isUpgrade || file.isAt(this.place)) return had;
      await this.#letGo();
    }
    throw this.#replacedError(subject);
  }

  /** @returns true for a downgrade, which needs nobody's leave */
  #change(shared: boolean, subject: ErrorSubject): boolean {
    const wanted = shared ? 'shared' : 'exclusive';
    if (this.kind === wanted) {
      throw operationError(AlreadyLockedError, 'ERR_DIRFD_LOCK', `locked ${wanted} already`, subject);
    }
    if (this.kind === 'exclusive') this.#file?.downgrade(this);
    return this.kind === wanted;
  }

  async #current(): Promise<LockFile> {
    if (this.#file && this.kind === 'none' && !this.#file.isAt(this.place)) await this.#letGo();
    return this.open();
  }

  #closedError(): Error {
    return ownError('ERR_DIRFD_CLOSED', 'given up: closed or released meanwhile', this.#subject('lock'));
  }

  #replacedError(subject: ErrorSubject): Error {
    return operationError(LockError, 'ERR_DIRFD_LOCK', 'the lock file is replaced again and again', subject);
  }

  async #alone<T>(subject: ErrorSubject, work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw ownError('ERR_DIRFD_BUSY', 'the lock is being waited for', subject);
    this.#busy = true;
    try {
      const result = await work();
      // What was granted in this turn of the event loop may have been taken away in it.
      if (this.#ended) throw this.#closedError();
      return result;
    } finally {
      this.#busy = false;
    }
  }
}
