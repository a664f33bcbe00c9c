/** Recovery points as they lie in a store: points/ID.json, each there as long as its operation is neither completed nor recovered. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { FsError } from '../errors.js';
import { operationError, StateError } from '../operation-errors.js';

/** What was going on, and what there was before. */
export interface RecoveryPoint {
  readonly id: string;
  readonly operation: string;
  /** By which path the directory was opened: for people, and to open it again after a crash. */
  readonly directory: string;
  /** Relative to it. */
  readonly path: string;
  /** The version of what was there; absent where nothing was. */
  readonly version?: string;
  /** ISO 8601. */
  readonly time: string;
}

/** All of them, the oldest first. @throws StateError for what is none */
export async function readPoints(points: DirectoryFd): Promise<RecoveryPoint[]> {
  const names = (await points.readdir()).filter((name) => name.endsWith('.json')).sort();
  const found: RecoveryPoint[] = [];
  for (const name of names) {
    const text = await points.readFile(name, 'utf8').catch((error: unknown) => {
      // Completed by another process in this moment.
      if (error instanceof FsError && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) continue;
    try {
      found.push(JSON.parse(text));
    } catch (error) {
      const subject = { verb: 'pending', directory: points.path, path: name };
      throw operationError(StateError, 'ERR_DIRFD_RECOVERY', 'not a recovery point', subject, error);
    }
  }
  return found;
}
