/** The lock of a file that may be replaced while one waits for it: the lock lies on the file, and goes with it. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import type { RelativePath } from '../dirfd/path.js';
import { unless } from '../dirfd/unless.js';
import { type ErrorSubject, FsError } from '../errors.js';
import { LockTimeoutError, operationError } from '../operation-errors.js';

/** For how long one waits, however many files come under the name. */
export interface LockPatience {
  /** performance.now() at which to give up. */
  readonly deadline: number;
  /** What that was, in milliseconds, for the message. */
  readonly timeout: number;
  readonly shared?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The file that has the name, locked for this handle, alone or beside others; undefined where there is none. Who has waited, and finds that another
 * file has the name by then, waits for that.
 *
 * @throws LockTimeoutError, with this subject
 */
export async function lockNamed(
  directory: DirectoryFd,
  name: RelativePath,
  { deadline, timeout, shared = false, signal }: LockPatience,
  subject: ErrorSubject,
): Promise<FileFd | undefined> {
  for (;;) {
    const file = await unless('ENOENT', directory.openFile(name, { flags: shared ? 'r' : 'r+', signal }));
    if (!file) return undefined;
    try {
      await file.lock({ shared, timeout: Math.max(deadline - performance.now(), 0), signal });
      const [locked, named] = await Promise.all([file.stat(), unless('ENOENT', directory.stat(name))]);
      if (named && locked.ino === named.ino && locked.mountId === named.mountId) return file;
    } catch (error) {
      await file.close();
      throw isTimeout(error) ? timedOut(timeout, subject, error) : error;
    }
    await file.close();
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof FsError && error.code === 'ERR_DIRFD_LOCK_TIMEOUT';
}

function timedOut(timeout: number, subject: ErrorSubject, cause: unknown): LockTimeoutError {
  const why = `others have held it for ${timeout} ms`;
  return operationError(LockTimeoutError, 'ERR_DIRFD_LOCK_TIMEOUT', why, { ...subject, verb: 'lock' }, cause);
}
