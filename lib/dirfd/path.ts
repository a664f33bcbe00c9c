/** Relative paths as callers give them, checked before any system call. Names are bytes; a string stands for its UTF-8 form. */

import { type ErrorSubject, ownError } from '../errors.js';

/** A relative path: text, or bytes where a name is not UTF-8. One or more components, separated by '/'. */
export type RelativePath = string | Uint8Array;

const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * Returns the path as it is, if it is one.
 *
 * @throws FsError ERR_DIRFD_PATH_ESCAPE for an absolute path or a '..' component
 * @throws FsError ERR_DIRFD_INVALID_PATH for an empty path, a NUL byte, a lone surrogate, or another type
 */
export function checkRelative<P extends RelativePath>(path: P, subject: ErrorSubject): P {
  checkBytes(path, 'path', subject);
  if (path.length === 0)
    throw ownError('ERR_DIRFD_INVALID_PATH', "the path is empty; use '.' for the directory", subject);
  if (typeof path === 'string' ? path.startsWith('/') : path[0] === SLASH) {
    throw ownError('ERR_DIRFD_PATH_ESCAPE', 'the path is absolute; paths are relative to the directory', subject);
  }
  if (typeof path === 'string' ? hasParentComponent(path) : hasParentBytes(path)) {
    throw ownError('ERR_DIRFD_PATH_ESCAPE', "the path has a '..' component", subject);
  }
  return path;
}

/** Checks what any name, link target or attribute name must be: text or bytes that a C string can hold. */
export function checkBytes<P extends RelativePath>(value: P, what: string, subject: ErrorSubject): P {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw ownError('ERR_DIRFD_INVALID_PATH', `the ${what} holds a NUL`, subject);
    // A lone surrogate has no UTF-8 form: it would silently become another name.
    if (!isWellFormed(value)) {
      throw ownError('ERR_DIRFD_INVALID_PATH', `the ${what} holds a lone surrogate; pass bytes instead`, subject);
    }
  } else if (value instanceof Uint8Array) {
    if (value.includes(0)) throw ownError('ERR_DIRFD_INVALID_PATH', `the ${what} holds a NUL byte`, subject);
  } else {
    const { path: _, ...rest } = subject;
    throw ownError('ERR_DIRFD_INVALID_PATH', `the ${what} must be a string or a Uint8Array, not ${typeof value}`, rest);
  }
  return value;
}

function hasParentComponent(path: string): boolean {
  return path.includes('..') && path.split('/').includes('..');
}

function hasParentBytes(path: Uint8Array): boolean {
  for (let start = 0; start < path.length; ) {
    let end = path.indexOf(SLASH, start);
    if (end < 0) end = path.length;
    if (end - start === 2 && path[start] === DOT && path[start + 1] === DOT) return true;
    start = end + 1;
  }
  return false;
}

/** String.prototype.isWellFormed, which the ES2023 library does not declare; every supported Node has it. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}
