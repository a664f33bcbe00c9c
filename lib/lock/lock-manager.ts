/** LockManager: a lock per entity, by id. Lock files stay open for a while, so that the next lease of the same id costs two system calls. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import { toInteger, toMode } from '../dirfd/flags.js';
import { holdDirectory } from '../dirfd/hold-directory.js';
import { type ErrorSubject, ownError } from '../errors.js';
import { DeadlockError, LockError, LockTimeoutError, operationError } from '../operation-errors.js';
import { type BreakLockOptions, breakLock } from './break.js';
import { Claim, type LockWaitOptions } from './claim.js';
import type { FileLockOptions } from './file-lock.js';
import { DEFAULT_TIMEOUT, Lease, Leases } from './lease.js';
import type { LockFile } from './lock-file.js';
import type { LockHolder } from './lock-record.js';
import { type Owner, ownerOf } from './owner.js';

/** What holds for all locks of a manager. */
export interface LockManagerOptions extends Pick<FileLockOptions, 'mode' | 'allowNetwork'>, SignalOptions {
  /** Behind the id, the name of its lock file. Default `'.lock'`. */
  readonly suffix?: string | undefined;
  /** Lock files that stay open when nobody holds them. Default 32. */
  readonly pool?: number | undefined;
}

/** Which lock to take, for whom, and how long to wait for it: 30,000 ms by default. */
export interface AcquireOptions extends LockWaitOptions {
  /** Beside other shared locks. Default false: alone. */
  readonly shared?: boolean | undefined;
  /** The name under which deadlocks are looked for. Default: that of {@link withLockOwner}, or none. */
  readonly owner?: string | undefined;
}

/** What a manager has done since it was opened. Times in milliseconds. */
export interface LockStatistics {
  readonly acquired: number;
  /** Of those, how many were not to be had at once. */
  readonly contended: number;
  readonly timedOut: number;
  readonly deadlocks: number;
  /** In all, and the longest. */
  readonly waited: number;
  readonly longestWait: number;
  readonly held: number;
  readonly longestHeld: number;
}

/**
 * Locks by id, as files `<id>.lock` in one directory. Between processes, worker threads, and tasks of one thread; within a thread in the
 * order of priority and arrival. Close it with `await using`, or close().
 */
export class LockManager implements AsyncDisposable {
  readonly #directory: DirectoryFd;
  readonly #suffix: string;
  readonly #mode: number;
  readonly #allowNetwork: boolean;
  readonly #poolSize: number;
  /** Open lock files by id, the one that was used last at the end. */
  readonly #pool = new Map<string, LockFile>();
  readonly #dropping = new Set<Promise<void>>();
  readonly #leases = new Map<Lease, Owner>();
  /** On the way to a lock. */
  readonly #pending = new Set<Claim>();
  readonly #statistics = new Tally();
  #closing: Promise<void> | undefined;

  private constructor(directory: DirectoryFd, options: LockManagerOptions, subject: ErrorSubject) {
    this.#directory = directory;
    this.#suffix = checkSuffix(options.suffix ?? '.lock', subject);
    this.#mode = toMode(options.mode ?? 0o600, subject);
    this.#allowNetwork = options.allowNetwork === true;
    this.#poolSize = toInteger(options.pool ?? 32, 'pool', 0, 1 << 20, subject);
  }

  /** @param directory held open until close(), whatever becomes of the handle that was given */
  static async open(
    directory: DirectoryFd | string | Uint8Array | URL,
    options: LockManagerOptions = {},
  ): Promise<LockManager> {
    const { signal } = options;
    const held = await holdDirectory(directory, { signal });
    try {
      return new LockManager(held, options, { verb: 'open', directory: held.path });
    } catch (error) {
      await held.close();
      throw error;
    }
  }

  get path(): string {
    return this.#directory.path;
  }

  get statistics(): LockStatistics {
    return this.#statistics.snapshot();
  }

  /** Waits for the lock of `id`. @throws LockTimeoutError, DeadlockError, AlreadyLockedError, the signal's reason */
  async acquire(id: string, options: AcquireOptions = {}): Promise<Lease> {
    return this.#acquire(id, options, ownerOf(options.owner, this.#subject('acquire', id)));
  }

  /** Undefined where the lock is not to be had at once. */
  async tryAcquire(id: string, options: Pick<AcquireOptions, 'shared' | 'owner'> = {}): Promise<Lease | undefined> {
    const claim = this.#claim(id, 'tryAcquire', options.owner);
    return this.#withClaim(claim, async () =>
      (await claim.tryLock(options.shared === true)) ? this.#lease(id, claim, 0) : undefined,
    );
  }

  /**
   * All of them or none, in the order of their ids: whoever takes several in this way waits for nobody who waits for them. `timeout` is
   * for all together.
   */
  async acquireAll(ids: readonly string[], options: AcquireOptions = {}): Promise<Leases> {
    const owner = ownerOf(options.owner, this.#subject('acquireAll'));
    const { timeout = DEFAULT_TIMEOUT } = options;
    const deadline = performance.now() + timeout;
    const leases: Lease[] = [];
    try {
      // By code units, an order that every process has, whatever its language.
      for (const id of [...new Set(ids)].sort((a, b) => (a < b ? -1 : 1))) {
        const left = Math.max(deadline - performance.now(), 0);
        leases.push(await this.#acquire(id, { ...options, timeout: left }, owner));
      }
      return new Leases(leases);
    } catch (error) {
      // Why it came to nothing matters more than what cannot be given back.
      await Promise.allSettled(leases.map((lease) => lease.release()));
      throw error;
    }
  }

  /**
   * Releases by id what `owner` holds; without an owner, the only lease there is.
   *
   * @throws LockError where there is none, or several that nothing tells apart: release the lease itself
   */
  async release(id: string, options: { readonly owner?: string | undefined } = {}): Promise<void> {
    const subject = this.#subject('release', id);
    const owner = ownerOf(options.owner, subject);
    const held = [...this.#leases].filter(([lease]) => lease.id === id);
    const own = typeof owner === 'string' ? held.filter((entry) => entry[1] === owner) : held;
    const [lease, ...others] = own.map(([each]) => each);
    if (lease === undefined) throw operationError(LockError, 'ERR_DIRFD_LOCK', 'not locked', subject);
    if (others.length > 0 && typeof owner !== 'string') {
      throw operationError(LockError, 'ERR_DIRFD_LOCK', 'several hold it: release the lease itself', subject);
    }
    await Promise.all([lease, ...others].map((each) => each.release()));
  }

  /** Releases all that this manager has given out, or one owner's. @returns how many */
  async releaseAll(options: { readonly owner?: string | undefined } = {}): Promise<number> {
    const leases = [...this.#leases].filter(([, owner]) => options.owner === undefined || owner === options.owner);
    await Promise.all(leases.map(([lease]) => lease.release()));
    return leases.length;
  }

  /** The leases that are out. */
  leases(): Lease[] {
    return [...this.#leases.keys()];
  }

  /** Who holds the lock of `id`; undefined: nobody. For people: by the time it is read, it may be another. */
  async holder(id: string): Promise<LockHolder | undefined> {
    return this.#aside(id, 'holder', (claim) => claim.holder());
  }

  /**
   * Breaks the lock of whoever holds it, by a new lock file. The holder is not stopped: it goes on as if it held the lock, and learns it
   * only by {@link Lease.valid}. Stop it first.
   *
   * @returns who held it; undefined where nobody did, and nothing was changed
   */
  async breakLock(id: string, options: BreakLockOptions = {}): Promise<LockHolder | undefined> {
    return this.#aside(id, 'breakLock', (claim) => breakLock(claim, options));
  }

  /** Releases all, ends all waits with ERR_DIRFD_CLOSED, and closes: also what comes after a failure, which is told at the end. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #finish(): Promise<void> {
    const outcomes = await Promise.allSettled([...this.#pending].map((claim) => claim.end()));
    outcomes.push(...(await Promise.allSettled([...this.#leases.keys()].map((lease) => lease.release()))));
    const files = [...this.#pool.values()];
    this.#pool.clear();
    outcomes.push(...(await Promise.allSettled([...this.#dropping, ...files.map((file) => file.drop())])));
    outcomes.push(...(await Promise.allSettled([this.#directory.close()])));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #acquire(id: string, options: AcquireOptions, owner: Owner): Promise<Lease> {
    const claim = this.#claim(id, 'acquire', owner);
    const shared = options.shared === true;
    return this.#withClaim(claim, async () => {
      const started = performance.now();
      try {
        if (await claim.lock(shared, options, DEFAULT_TIMEOUT)) return this.#lease(id, claim, 0);
      } catch (error) {
        this.#statistics.failed(error);
        throw error;
      }
      return this.#lease(id, claim, performance.now() - started);
    });
  }

  async #aside<T>(id: string, verb: string, work: (claim: Claim) => Promise<T>): Promise<T> {
    const claim = this.#claim(id, verb, undefined);
    try {
      return await this.#withClaim(claim, () => work(claim));
    } finally {
      await claim.end();
    }
  }

  /** Ends the claim where it comes to nothing; until then close() can end it. */
  async #withClaim<T>(claim: Claim, work: () => Promise<T>): Promise<T> {
    this.#pending.add(claim);
    try {
      const result = await work();
      if (result === undefined) await claim.end();
      return result;
    } catch (error) {
      await claim.end();
      throw error;
    } finally {
      this.#pending.delete(claim);
    }
  }

  #claim(id: string, verb: string, owner: Owner | undefined): Claim {
    const subject = this.#subject(verb, id);
    if (this.#closing) throw ownError('ERR_DIRFD_CLOSED', 'this LockManager is closed', subject);
    const name = checkId(id, this.#suffix, subject);
    const place = { directory: this.#directory, name, mode: this.#mode, allowNetwork: this.#allowNetwork };
    const known = typeof owner === 'symbol' ? owner : ownerOf(owner, subject);
    return new Claim(place, known, () => subject, this.#pooled(id)?.retain());
  }

  #lease(id: string, claim: Claim, waited: number): Lease {
    const since = performance.now();
    this.#statistics.took(waited);
    this.#keepOpen(id, claim.file);
    const lease: Lease = new Lease(id, claim, async () => {
      this.#leases.delete(lease);
      this.#statistics.gaveBack(performance.now() - since);
      await claim.end();
    });
    this.#leases.set(lease, claim.owner);
    return lease;
  }

  #pooled(id: string): LockFile | undefined {
    const file = this.#pool.get(id);
    if (file === undefined) return undefined;
    this.#pool.delete(id);
    this.#pool.set(id, file);
    return file;
  }

  /** The next claim to this id needs no open. */
  #keepOpen(id: string, file: LockFile | undefined): void {
    if (file === undefined || this.#poolSize === 0 || this.#pool.get(id) === file) return;
    const before = this.#pool.get(id);
    this.#pool.set(id, file.retain());
    const [oldest] = this.#pool;
    if (before) this.#drop(before);
    else if (oldest && this.#pool.size > this.#poolSize) {
      this.#pool.delete(oldest[0]);
      this.#drop(oldest[1]);
    }
  }

  /** close() waits for it. What is closed is unlocked, whatever close(2) says, and nobody has asked for it. */
  #drop(file: LockFile): void {
    const closed = file
      .drop()
      .catch(() => {})
      .finally(() => this.#dropping.delete(closed));
    this.#dropping.add(closed);
  }

  #subject(verb: string, path?: string): ErrorSubject {
    return { verb, directory: this.#directory.path, path };
  }
}

/** Counts and times, summed up. */
class Tally {
  #sums = { acquired: 0, contended: 0, timedOut: 0, deadlocks: 0, waited: 0, longestWait: 0, held: 0, longestHeld: 0 };

  snapshot(): LockStatistics {
    return { ...this.#sums };
  }

  took(waited: number): void {
    this.#sums.acquired++;
    if (waited > 0) this.#sums.contended++;
    this.#sums.waited += waited;
    this.#sums.longestWait = Math.max(this.#sums.longestWait, waited);
  }

  gaveBack(held: number): void {
    this.#sums.held += held;
    this.#sums.longestHeld = Math.max(this.#sums.longestHeld, held);
  }

  failed(error: unknown): void {
    if (error instanceof LockTimeoutError) this.#sums.timedOut++;
    if (error instanceof DeadlockError) this.#sums.deadlocks++;
  }
}

/** One name, visible and printable: ids come from outside. */
function checkId(id: string, suffix: string, subject: ErrorSubject): string {
  const isText = typeof id === 'string' && Buffer.from(id).toString() === id;
  if (isText && NAME.test(id) && Buffer.byteLength(id + suffix) <= 255) return id + suffix;
  const why = 'an id is one name, without slash or control characters, not beginning with a dot, at most 255 bytes';
  throw ownError('ERR_DIRFD_INVALID_ARGUMENT', why, { ...subject, path: undefined });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in an id
const NAME = /^[^./\u0000-\u001f\u007f][^/\u0000-\u001f\u007f]*$/;

function checkSuffix(suffix: string, subject: ErrorSubject): string {
  if (typeof suffix === 'string' && /^[\w.-]{0,64}$/.test(suffix)) return suffix;
  throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'suffix must consist of letters, digits, dots and dashes', subject);
}
