/** removeTree: a tree removed through held directories, at any depth, following nothing. */

import { DirectoryFd } from '../dirfd/directory-fd.js';
import { INTERNAL, type SignalOptions } from '../dirfd/fd.js';
import { type FsError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import type { NativeRemoveReport } from '../native/surface.js';
import { joinPath, LIST_LIMIT } from './report.js';
import { labelOf, parentOf, type TreeRoot } from './roots.js';

export interface RemoveOptions extends SignalOptions {
  /** `'stop'` rejects with the first failure; `'continue'` removes what it can and lists the rest. Default `'stop'`. */
  readonly onError?: 'stop' | 'continue' | undefined;
  /** Leave alone what is mounted below, with EXDEV. Default true: a mount is rarely meant to be emptied. */
  readonly oneFileSystem?: boolean | undefined;
  /** Called now and then with the number of entries removed so far. */
  readonly progress?: ((entries: number) => void) | undefined;
}

export interface RemoveReport {
  /** Removed. */
  readonly entries: number;
  /** Not removed: the first of them, and how many in all. */
  readonly errors: readonly { readonly path: string; readonly pathBytes: Buffer; readonly error: FsError }[];
  readonly errorCount: number;
}

const PROGRESS_INTERVAL = 100;

/**
 * Removes a file, or a directory with all that it holds. A DirectoryFd is emptied: nobody can remove a directory through its own
 * descriptor. Symlinks are removed, never followed; what somebody else removes meanwhile is nobody's failure.
 *
 * @throws FsError with `onError: 'stop'`, the first failure
 */
export async function removeTree(target: TreeRoot, options: RemoveOptions = {}): Promise<RemoveReport> {
  options.signal?.throwIfAborted();
  if (target instanceof DirectoryFd) return await removeBelow(target, Buffer.from('.'), options);
  const { parent, name } = await parentOf(target, (path) =>
    DirectoryFd.open(path as Uint8Array, { crossMounts: true }),
  );
  try {
    return await removeBelow(parent, name, options);
  } finally {
    await parent.close();
  }
}

async function removeBelow(parent: DirectoryFd, name: Buffer, options: RemoveOptions): Promise<RemoveReport> {
  const { signal, progress, onError = 'stop' } = options;
  const subject = { verb: 'removeTree', path: name, directory: labelOf(parent) };
  const release = parent[INTERNAL].hold(subject);
  const job = native.newJob();
  const cancel = (): void => native.cancelJob(job);
  signal?.addEventListener('abort', cancel, { once: true });
  const timer = progress && setInterval(() => progress(native.jobProgress(job).entries), PROGRESS_INTERVAL);
  try {
    const crossMounts = options.oneFileSystem === false;
    const removed = await native.removeTree(parent[INTERNAL].handle, name, onError === 'continue', job, crossMounts);
    signal?.throwIfAborted();
    progress?.(removed.entries);
    return toReport(removed, name, parent);
  } catch (failure) {
    signal?.throwIfAborted();
    const below = (failure as { path?: Buffer }).path;
    throw toFsError(failure, native.callNames, { ...subject, path: below?.length ? joinPath(name, below) : name });
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', cancel);
    release();
  }
}

function toReport(removed: NativeRemoveReport, name: Buffer, parent: DirectoryFd): RemoveReport {
  const errors = removed.failures.slice(0, LIST_LIMIT).map((failure) => {
    const pathBytes = failure.path.length === 0 ? name : joinPath(name, failure.path);
    const subject = { verb: 'removeTree', path: pathBytes, directory: parent.path };
    const error = toFsError(failure, native.callNames, subject) as FsError;
    return { path: pathBytes.toString('utf8'), pathBytes, error };
  });
  return { entries: removed.entries, errors, errorCount: removed.failed };
}
