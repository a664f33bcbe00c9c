/** Extended attributes: what DirectoryFd and FileFd share. */

import { type ErrorSubject, ownError } from '../errors.js';
import type { SignalOptions } from './fd.js';

/** What is expected of the attribute. Default: nothing. */
export interface SetXattrOptions extends SignalOptions {
  /** Fail with EEXIST if the attribute exists. */
  readonly create?: boolean | undefined;
  /** Fail with ENODATA if it does not. */
  readonly replace?: boolean | undefined;
}

const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;

export function toXattrFlags({ create, replace }: SetXattrOptions, subject: ErrorSubject): number {
  if (create && replace) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', "'create' and 'replace' exclude each other", subject);
  }
  return (create ? XATTR_CREATE : 0) | (replace ? XATTR_REPLACE : 0);
}

export function toValue(value: string | Uint8Array, subject: ErrorSubject): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'the value must be a string or a Uint8Array', subject);
}

/** listxattr(2)'s form: names, each ended by NUL. */
export function decodeList(bytes: Buffer): string[] {
  return bytes.length === 0 ? [] : bytes.toString('utf8', 0, bytes.length - 1).split('\0');
}
