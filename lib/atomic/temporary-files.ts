/** What killed writers leave. */

import { type ObservedOptions, observed } from '../audit/observe.js';
import { DirectoryFd } from '../dirfd/directory-fd.js';
import { native } from '../native/load.js';
import { onDirectory } from './target.js';

/**
 * Removes the drafts of atomic writes (`.dirfd-write-…`) that no living process holds from one directory. The first write into a directory
 * does the same for its first 10,000 names. Drafts of other users that this one may not open stay, and on network file systems all do.
 *
 * @returns how many were removed
 */
export async function cleanupTemporaryFiles(
  directory: DirectoryFd | string,
  options: ObservedOptions = {},
): Promise<number> {
  const path = typeof directory === 'string' ? directory : directory.path;
  return observed({ operation: 'cleanup-temporary-files', directory: path }, options, async (note) => {
    const given = typeof directory === 'string' ? await DirectoryFd.open(directory) : directory;
    try {
      const subject = { verb: 'cleanupTemporaryFiles', directory: given.path };
      const removed = await onDirectory(given, subject, native.sweepDrafts);
      note({ removed });
      return removed;
    } finally {
      if (given !== directory) await given.close();
    }
  });
}
