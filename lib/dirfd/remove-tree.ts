/** What DirectoryFd.removeTree takes and tells, and its way to the addon and back. */

import { type ErrorSubject, FsError, ownError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import type { LocatedFailure, NativeHandle, NativeRemoveReport } from '../native/surface.js';
import { checkSignal, type SignalOptions } from './fd.js';
import type { RelativePath } from './path.js';

/** How far {@link DirectoryFd.removeTree} goes. */
export interface RemoveTreeOptions extends SignalOptions {
  /** No error where nothing has that name, as in `fs.rm`. Default false. */
  readonly force?: boolean | undefined;
  /**
   * `'stop'` rejects with the first failure; what was removed by then stays removed. `'continue'` removes all that can be removed and tells
   * the rest in the report. Default `'stop'`.
   */
  readonly onError?: 'stop' | 'continue' | undefined;
}

/** What {@link DirectoryFd.removeTree} did. */
export interface RemoveTreeReport {
  /** Entries removed, the directory itself included. */
  readonly removed: number;
  /** Entries that could not be removed, without the directories that stay only because of them. */
  readonly failed: number;
  /** Why, entry by entry; the first 1000 of them. */
  readonly failures: readonly FsError[];
}

/**
 * Runs the removal on the handle that `perform` holds, and makes errors with paths of what it tells. An abort stops the removal at its next system call and is waited for: when
 * the promise has settled, nothing is removed any more.
 */
export async function removeTree(
  path: RelativePath,
  { force = false, onError = 'stop', signal }: RemoveTreeOptions,
  subject: ErrorSubject,
  perform: (call: (root: NativeHandle) => Promise<NativeRemoveReport>) => Promise<NativeRemoveReport>,
): Promise<RemoveTreeReport> {
  if (onError !== 'stop' && onError !== 'continue') {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `onError is 'stop' or 'continue', not '${String(onError)}'`, subject);
  }
  checkSignal(signal, subject);
  signal?.throwIfAborted();
  const errorOf = (failure: LocatedFailure) =>
    toFsError(failure, native.callNames, { ...subject, path: below(path, failure.path) }) as FsError;
  const job = native.newJob();
  const cancel = () => native.cancelJob(job);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const report = await perform((root) =>
      native.removeTree(root, path, onError === 'continue', job).catch((thrown) => {
        throw isLocated(thrown) ? errorOf(thrown) : thrown;
      }),
    );
    signal?.throwIfAborted();
    const failures = report.failures.map(errorOf).filter((error) => !(force && isAbsent(error)));
    return { removed: report.entries, failed: report.failed - (report.failures.length - failures.length), failures };
  } catch (error) {
    signal?.throwIfAborted();
    if (force && isAbsent(error)) return { removed: 0, failed: 0, failures: [] };
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

/** ENOENT can only be about the tree itself, or its parents: what vanishes below it counts as removed. */
function isAbsent(error: unknown): boolean {
  return error instanceof FsError && error.code === 'ENOENT';
}

function isLocated(thrown: unknown): thrown is LocatedFailure {
  return typeof thrown === 'object' && thrown !== null && 'path' in thrown && 'call' in thrown;
}

function below(tree: RelativePath, path: Buffer): RelativePath {
  if (path.length === 0) return tree;
  return Buffer.concat([Buffer.from(tree), Buffer.from('/'), path]);
}
