/** What DirectoryFd.removeTree takes and tells, and its way to the addon and back. */

import { type ErrorSubject, FsError, ownError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import type { LocatedFailure, NativeHandle, NativeRemoveReport } from '../native/surface.js';
import { checkSignal, type SignalOptions } from './fd.js';
import type { RelativePath } from './path.js';

/** How far a removal goes. An abort stops it at its next system call, and is waited for. */
export interface RemoveOptions extends SignalOptions {
  /** No error where nothing has that name, as in `fs.rm`. Default false. */
  readonly force?: boolean | undefined;
  /**
   * `'stop'` rejects with the first failure; what was removed by then stays removed. `'continue'` removes all that can be removed and lists
   * the rest. Default `'stop'`.
   */
  readonly onError?: 'stop' | 'continue' | undefined;
  /**
   * Leave alone what is mounted below, with EXDEV. Default true: a mount is rarely meant to be emptied. False changes nothing for a handle
   * with `crossMounts: false`.
   */
  readonly oneFileSystem?: boolean | undefined;
  /** Called now and then with the number of entries removed so far. */
  readonly progress?: ((entries: number) => void) | undefined;
}

/** What a removal did. */
export interface RemoveReport {
  /** Removed, the directory itself included. */
  readonly entries: number;
  /** Not removed: the first 1000 of them, and how many in all; without the directories that stay only because of them. */
  readonly errors: readonly { readonly path: string; readonly pathBytes: Buffer; readonly error: FsError }[];
  readonly errorCount: number;
}

/** Milliseconds between two calls of `progress`. */
const PROGRESS_INTERVAL = 100;

/** Runs the removal on the handle that `perform` holds, and makes errors with paths of what it tells. */
export async function removeTree(
  path: RelativePath,
  options: RemoveOptions,
  mayCrossMounts: boolean,
  subject: ErrorSubject,
  perform: (call: (root: NativeHandle) => Promise<NativeRemoveReport>) => Promise<NativeRemoveReport>,
): Promise<RemoveReport> {
  const { force = false, onError = 'stop', oneFileSystem = true, progress, signal } = options;
  if (onError !== 'stop' && onError !== 'continue') {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `onError is 'stop' or 'continue', not '${String(onError)}'`, subject);
  }
  checkSignal(signal, subject);
  signal?.throwIfAborted();
  const crossMounts = mayCrossMounts && !oneFileSystem;
  const job = native.newJob();
  const cancel = () => native.cancelJob(job);
  signal?.addEventListener('abort', cancel, { once: true });
  const timer = progress && setInterval(() => progress(native.jobProgress(job).entries), PROGRESS_INTERVAL);
  try {
    const removed = await perform((root) =>
      native.removeTree(root, path, onError === 'continue', job, crossMounts).catch((thrown) => {
        throw isLocated(thrown) ? located(thrown, path, subject).error : thrown;
      }),
    );
    signal?.throwIfAborted();
    progress?.(removed.entries);
    const errors = removed.failures.map((failure) => located(failure, path, subject));
    if (force && errors.length === 1 && isAbsent(errors[0]?.error, path))
      return { entries: 0, errors: [], errorCount: 0 };
    return { entries: removed.entries, errors, errorCount: removed.failed };
  } catch (error) {
    signal?.throwIfAborted();
    if (force && isAbsent(error, path)) return { entries: 0, errors: [], errorCount: 0 };
    throw error;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

/** Nothing has the tree's own name, or one of those above it. Of what lies below it, ENOENT would be a failure as any other. */
function isAbsent(error: unknown, tree: RelativePath): boolean {
  return error instanceof FsError && error.code === 'ENOENT' && error.pathBytes?.equals(Buffer.from(tree)) === true;
}

function isLocated(thrown: unknown): thrown is LocatedFailure {
  return typeof thrown === 'object' && thrown !== null && 'path' in thrown && 'call' in thrown;
}

function located(failure: LocatedFailure, tree: RelativePath, subject: ErrorSubject) {
  const below = failure.path.length === 0 ? [] : [Buffer.from('/'), failure.path];
  const pathBytes = Buffer.concat([Buffer.from(tree), ...below]);
  const error = toFsError(failure, native.callNames, { ...subject, path: pathBytes }) as FsError;
  return { path: pathBytes.toString('utf8'), pathBytes, error };
}
