/** Open flags and modes as node:fs spells them. */

import { constants } from 'node:fs';
import { type ErrorSubject, ownError } from '../errors.js';

const { O_APPEND, O_CREAT, O_DSYNC, O_EXCL, O_RDONLY, O_RDWR, O_SYNC, O_TRUNC, O_WRONLY } = constants;
const { O_DIRECT, O_NOATIME, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK } = constants;
const O_CLOEXEC = 0o2000000; // node:constants lacks it

const ACCEPTED = O_WRONLY | O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_TRUNC | O_SYNC | O_DSYNC | O_DIRECT | O_NOATIME;
/** Always in force, or without a meaning for regular files. */
const IMPLIED = O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;

const FLAGS: Readonly<Record<string, number>> = {
  r: O_RDONLY,
  rs: O_RDONLY | O_SYNC,
  'r+': O_RDWR,
  'rs+': O_RDWR | O_SYNC,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  wx: O_WRONLY | O_CREAT | O_TRUNC | O_EXCL,
  'w+': O_RDWR | O_CREAT | O_TRUNC,
  'wx+': O_RDWR | O_CREAT | O_TRUNC | O_EXCL,
  a: O_WRONLY | O_CREAT | O_APPEND,
  ax: O_WRONLY | O_CREAT | O_APPEND | O_EXCL,
  as: O_WRONLY | O_CREAT | O_APPEND | O_SYNC,
  'a+': O_RDWR | O_CREAT | O_APPEND,
  'ax+': O_RDWR | O_CREAT | O_APPEND | O_EXCL,
  'as+': O_RDWR | O_CREAT | O_APPEND | O_SYNC,
};

/**
 * `'r'`, `'w'`, … as in node:fs, or an or-ed number of `fs.constants.O_*`. O_PATH, O_DIRECTORY and O_TMPFILE open something else than a
 * file for its data, and are refused.
 */
export function toOpenFlags(flags: string | number, subject: ErrorSubject): number {
  const number = typeof flags === 'number' ? flags : Object.hasOwn(FLAGS, flags) ? FLAGS[flags] : undefined;
  if (number === undefined || !Number.isSafeInteger(number) || number < 0 || (number & 3) === 3) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `unknown open flags '${String(flags)}'`, subject);
  }
  const wanted = number & ~IMPLIED;
  if (number > 0x7fff_ffff || (wanted & ~ACCEPTED) !== 0) {
    const other = `0o${(number & ~ACCEPTED & ~IMPLIED).toString(8)}`;
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `open flags ${other} are not for opening a file`, subject);
  }
  return wanted;
}

/** Permission bits, special bits included. */
export function toMode(mode: number | string, subject: ErrorSubject): number {
  const number = typeof mode === 'string' ? (/^[0-7]{1,4}$/.test(mode) ? Number.parseInt(mode, 8) : -1) : mode;
  if (!Number.isInteger(number) || number < 0 || number > 0o7777) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `mode must be between 0 and 0o7777, not ${String(mode)}`, subject);
  }
  return number;
}

/** A whole number within the given bounds. */
export function toInteger(value: number, what: string, min: number, max: number, subject: ErrorSubject): number {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw ownError(
      'ERR_DIRFD_INVALID_ARGUMENT',
      `${what} must be between ${min} and ${max}, not ${String(value)}`,
      subject,
    );
  }
  return value;
}

/** A uid or gid; -1 leaves it as it is (chown(2)). */
export function toId(id: number, what: string, subject: ErrorSubject): number {
  return toInteger(id, what, -1, 0xffff_fffe, subject);
}
