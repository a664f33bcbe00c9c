/** Whether one held directory lies in another, whatever paths lead there: by climbing from the inner one and comparing identities. */

import { toFsError } from '../errors.js';
import { native } from '../native/load.js';
import type { DirectoryFd } from './directory-fd.js';
import { INTERNAL } from './fd.js';

/**
 * True where `inner` is `outer` or lies below it.
 *
 * @throws FsError EACCES where a directory above may not be read
 */
export async function isInside(inner: DirectoryFd, outer: DirectoryFd, verb: string): Promise<boolean> {
  try {
    return await native.isInside(inner[INTERNAL].handle, outer[INTERNAL].handle);
  } catch (thrown) {
    throw toFsError(thrown, native.callNames, { verb, path: '..', directory: inner.path });
  }
}
