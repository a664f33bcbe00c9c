/** Options of FileFd.lock, and the wait. Locks that queue fairly and find deadlocks belong to `dirfd/lock`. */

import { type ErrorSubject, FsError, ownError } from '../errors.js';
import { native } from '../native/load.js';
import { LOCK_KINDS, type NativeJob } from '../native/surface.js';
import { checkSignal, type SignalOptions } from './fd.js';
import { toInteger } from './flags.js';

/** Which lock, on which bytes, and how long to wait for it. */
export interface LockOptions extends SignalOptions {
  /** Others may hold shared locks beside it. Default false: exclusive, which needs a file opened for writing. */
  readonly shared?: boolean | undefined;
  /** First byte. Default 0. */
  readonly start?: number | undefined;
  /** Bytes; 0, the default, reaches to the end however far the file grows. */
  readonly length?: number | undefined;
  /** Milliseconds to wait at most. Default: for ever. */
  readonly timeout?: number | undefined;
}

/** setTimeout's longest, some 25 days: whoever waits longer waits for ever. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The number that stands for the kind in native calls. */
export function lockKind({ shared }: LockOptions): number {
  return LOCK_KINDS.indexOf(shared ? 'shared' : 'exclusive');
}

export function toRange({ start = 0, length = 0 }: LockOptions, subject: ErrorSubject) {
  return {
    start: toInteger(start, 'start', 0, Number.MAX_SAFE_INTEGER, subject),
    length: toInteger(length, 'length', 0, Number.MAX_SAFE_INTEGER, subject),
  };
}

/**
 * How long, and until which signal, to wait.
 *
 * @throws FsError ERR_DIRFD_INVALID_ARGUMENT, or the signal's reason
 */
export function checkWait({ timeout = 0, signal }: LockOptions, subject: ErrorSubject): void {
  checkSignal(signal, subject);
  signal?.throwIfAborted();
  if (typeof timeout === 'number' && timeout >= 0) return;
  throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `timeout must be 0 ms or more, not ${String(timeout)}`, subject);
}

/** Calls back after `timeout` milliseconds, unless that is longer than any timer. */
export function startTimer(timeout: number, onTimeout: () => void): NodeJS.Timeout | undefined {
  return timeout <= LONGEST_TIMER ? setTimeout(onTimeout, timeout) : undefined;
}

/** The waits of one handle for the locks of others. */
export class LockWaits {
  /** How to end each of them. */
  readonly #enders = new Set<(reason: unknown) => void>();

  /**
   * Runs one wait until the lock is had, or the time is over, the signal aborts or the handle closes; by then the native wait has ended. A
   * lock that was granted in the same moment is had: to give it back could take from an upgrade what it held before.
   *
   * @param wait the native call
   */
  async run(
    wait: (job: NativeJob) => Promise<void>,
    { signal, timeout = Number.POSITIVE_INFINITY }: LockOptions,
    subject: ErrorSubject,
  ): Promise<void> {
    const job = native.newJob();
    let ended: { readonly reason: unknown } | undefined;
    const end = (reason: unknown): void => {
      ended ??= { reason };
      native.cancelLockWait(job);
    };
    const onAbort = () => end(signal?.reason);
    const timer = startTimer(timeout, () =>
      end(ownError('ERR_DIRFD_LOCK_TIMEOUT', `not free within ${timeout} ms`, subject)),
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#enders.add(end);
    try {
      await wait(job);
    } catch (error) {
      throw ended && error instanceof FsError && error.code === 'ECANCELED' ? ended.reason : error;
    } finally {
      this.#enders.delete(end);
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Ends all with ERR_DIRFD_CLOSED. */
  close(subject: ErrorSubject): void {
    const closed = ownError('ERR_DIRFD_CLOSED', 'this FileFd is closed', subject);
    for (const end of this.#enders) end(closed);
  }
}
