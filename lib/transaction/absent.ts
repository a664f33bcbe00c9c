/** Names that may have gone, or come to mean something else, by another's hand. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { Stat } from '../dirfd/stat.js';
import { FsError } from '../errors.js';

/** Of the entry itself; undefined where none has the name. */
export async function statOf(directory: DirectoryFd, name: string | Buffer): Promise<Stat | undefined> {
  try {
    return await directory.stat(name);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Nothing has the name, or the path leads through what is no directory any more. */
export function isAbsent(error: unknown): boolean {
  return error instanceof FsError && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(error.code);
}
