/** Times as callers give them → seconds and nanoseconds for utimensat(2). */

import { type ErrorSubject, ownError } from '../errors.js';
import { UTIME_NOW, UTIME_OMIT } from '../native/surface.js';

/**
 * A time to set: nanoseconds since 1970 as a bigint (exact), a Date, seconds since 1970 as a number (as node:fs takes them; exact to about
 * 100 ns today), `'now'`, or `null` to leave it as it is.
 */
export type TimeInput = bigint | Date | number | 'now' | null;

const BILLION = 1_000_000_000n;
/** Seconds that 64 bits hold; file systems keep less, and set what lies beyond their range to its end (utimensat(2)). */
const MAX_SECONDS = 2n ** 63n - 1n;

/** [seconds, nanoseconds], rounded down so that nanoseconds are never negative. */
export function toTimespec(time: TimeInput, what: string, subject: ErrorSubject): [bigint, number] {
  if (time === null) return [0n, UTIME_OMIT];
  if (time === 'now') return [0n, UTIME_NOW];
  const ns = toNanoseconds(time);
  if (ns === undefined) throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `${what} is not a time`, subject);
  const remainder = ((ns % BILLION) + BILLION) % BILLION;
  const seconds = (ns - remainder) / BILLION;
  if (seconds > MAX_SECONDS || seconds < -MAX_SECONDS) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `${what} lies beyond what the kernel can represent`, subject);
  }
  return [seconds, Number(remainder)];
}

function toNanoseconds(time: bigint | Date | number): bigint | undefined {
  if (typeof time === 'bigint') return time;
  if (time instanceof Date) return Number.isNaN(time.getTime()) ? undefined : BigInt(time.getTime()) * 1_000_000n;
  if (typeof time !== 'number' || !Number.isFinite(time)) return undefined;
  const seconds = Math.floor(time);
  return BigInt(seconds) * BILLION + BigInt(Math.round((time - seconds) * 1e9));
}
