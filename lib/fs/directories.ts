/** ensureDir() and emptyDir(), as fs-extra has them. */

import { DirectoryFd } from '../dirfd/directory-fd.js';
import { unless } from '../dirfd/unless.js';
import { FsError } from '../errors.js';
import { makeParents, openDestination, type PathLike } from './place.js';

export interface EnsureDirOptions {
  /** Of directories that are made; less the umask. Default 0o777. */
  readonly mode?: number | undefined;
}

/**
 * Makes a directory, and those above it, where they are not there. A symlink to a directory is one.
 *
 * @throws FsError EEXIST where something else stands there
 */
export async function ensureDir(path: PathLike, options: EnsureDirOptions | number = {}): Promise<void> {
  const { mode = 0o777 } = typeof options === 'number' ? { mode: options } : options;
  const destination = await openDestination(path);
  let { nearest: held } = destination;
  try {
    const { directory, name } = await makeParents(destination, mode);
    held = directory;
    try {
      await directory.mkdir(name, { mode });
    } catch (error) {
      if (!(error instanceof FsError) || error.code !== 'EEXIST' || !(await isDirectory(path))) throw error;
    }
  } finally {
    await held.close();
  }
}

/** Removes all that a directory holds, or makes it. */
export async function emptyDir(path: PathLike): Promise<void> {
  const directory = await unless('ENOENT', DirectoryFd.open(path));
  if (!directory) return await ensureDir(path);
  try {
    await directory.removeTree('.');
  } finally {
    await directory.close();
  }
}

/** By the caller's path: nothing is done with it but to know. */
async function isDirectory(path: PathLike): Promise<boolean> {
  const opened = await unless('ENOTDIR', unless('ENOENT', DirectoryFd.open(path)));
  await opened?.close();
  return opened !== undefined;
}
