/** The handles that a replacement needs are closed when it is done. Where that fails, the new file stands all the same, and the error says so. */

import { closeAll } from '../dirfd/close-all.js';
import type { ErrorSubject } from '../errors.js';
import { DurabilityError, operationError } from '../operation-errors.js';

/** Runs `replace`, then closes all. What `replace` has failed with is not hidden by a close that fails too. */
export async function lettingGo<T>(
  open: Iterable<AsyncDisposable | undefined>,
  subject: ErrorSubject,
  replace: () => Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await replace();
  } catch (error) {
    await closeAll(open).catch(() => {});
    throw error;
  }
  await closeAll(open).catch((error: unknown) => {
    throw notClosed(subject, error);
  });
  return result;
}

/** Network file systems tell only here that what they were given has not reached the disk. */
export function notClosed(subject: ErrorSubject, cause: unknown): DurabilityError {
  const why = 'the file is the new one, but what was open for it did not close well';
  return operationError(DurabilityError, 'ERR_DIRFD_WRITE', why, subject, cause);
}
