/** removeTree of any root: a tree removed through held directories, at any depth, following nothing. */

import { DirectoryFd } from '../dirfd/directory-fd.js';
import type { RemoveOptions, RemoveReport } from '../dirfd/remove-tree.js';
import { parentOf, type TreeRoot } from './roots.js';

/**
 * Removes a file, or a directory with all that it holds. A DirectoryFd is emptied: nobody can remove a directory through its own
 * descriptor. Symlinks are removed, never followed; what somebody else removes meanwhile is nobody's failure.
 *
 * @throws FsError with `onError: 'stop'`, the first failure
 */
export async function removeTree(target: TreeRoot, options: RemoveOptions = {}): Promise<RemoveReport> {
  options.signal?.throwIfAborted();
  if (target instanceof DirectoryFd) return await target.removeTree('.', options);
  const { parent, name } = await parentOf(target, (path) => DirectoryFd.open(path as Uint8Array));
  try {
    return await parent.removeTree(name, options);
  } finally {
    await parent.close();
  }
}
