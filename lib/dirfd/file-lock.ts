/** Options of FileFd.lock, and the wait. Locks that queue fairly and find deadlocks belong to `dirfd/lock`. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorSubject, ownError } from '../errors.js';
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

/** LockKind of native/sys/lock.h. */
export function lockKind({ shared }: LockOptions): number {
  return shared ? 0 : 1;
}

export function toRange({ start = 0, length = 0 }: LockOptions, subject: ErrorSubject) {
  return {
    start: toInteger(start, 'start', 0, Number.MAX_SAFE_INTEGER, subject),
    length: toInteger(length, 'length', 0, Number.MAX_SAFE_INTEGER, subject),
  };
}

export async function waitForLock(
  tryLock: () => Promise<boolean>,
  { signal, timeout = Number.POSITIVE_INFINITY }: LockOptions,
  subject: ErrorSubject,
): Promise<void> {
  checkSignal(signal, subject);
  signal?.throwIfAborted();
  if (typeof timeout !== 'number' || !(timeout >= 0)) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `timeout must be 0 ms or more, not ${String(timeout)}`, subject);
  }
  const deadline = performance.now() + timeout;
  for (let pause = 1; !(await tryLock()); pause = Math.min(pause * 2, 50)) {
    const left = deadline - performance.now();
    if (left <= 0) throw ownError('ERR_DIRFD_LOCK_TIMEOUT', `not free within ${timeout} ms`, subject);
    await sleep(Math.min(pause, left), undefined, signal ? { signal } : {}).catch(() => {});
    signal?.throwIfAborted();
  }
}
