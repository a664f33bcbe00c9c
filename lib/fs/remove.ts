/** remove(), as fs-extra has it. */

import { unless } from '../dirfd/unless.js';
import { ownError } from '../errors.js';
import { openPlace, type PathLike } from './place.js';

/**
 * Removes a file, or a directory with all it holds; of a symlink, the link. That nothing is there is no error. What somebody has mounted below
 * is left alone, and an error (EXDEV).
 */
export async function remove(path: PathLike): Promise<void> {
  const place = await unless('ENOENT', openPlace(path));
  if (!place) return;
  try {
    if (place.name.equals(ROOT)) {
      throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'the root of the file system is not removed', { verb: 'remove' });
    }
    await place.directory.removeTree(place.name, { force: true });
  } finally {
    await place.directory.close();
  }
}

/** The name of the one directory that lies in no other. */
const ROOT = Buffer.from('.');
