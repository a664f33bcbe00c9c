/** What a failed replacement is to its caller: the class says whether the old file still stands, and why. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorSubject, FsError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import { REPLACE_REASON } from '../native/replace.js';
import type { NativeFailure } from '../native/surface.js';
import {
  AtomicWriteError,
  ConflictError,
  DurabilityError,
  operationError,
  PathError,
  PermissionError,
} from '../operation-errors.js';
import type { ReplaceHow } from './options.js';

const ADVICE: Readonly<Record<string, string>> = {
  ELOOP: "a symlink is there; symlinks: 'replace' takes its place, 'follow-beneath' replaces what it leads to",
  EMLINK: "the file has other names; hardLinks: 'break' leaves them the old content",
  fchown: "its owner cannot be kept; keepMetadata: 'try' or false does without",
};

/** A native failure as the error of this layer, its cause the plain FsError. */
export function writeFailure(thrown: unknown, subject: ErrorSubject): unknown {
  const plain = toFsError(thrown, native.callNames, subject);
  if (!(plain instanceof FsError) || plain instanceof AtomicWriteError) return plain;
  const reason = (thrown as Partial<NativeFailure>).reason;
  if (reason === REPLACE_REASON.uncertain) return dressed(DurabilityError, plain);
  if (reason === REPLACE_REASON.changed) {
    const why = 'the file is no longer the one that was to be replaced';
    return operationError(ConflictError, 'ERR_DIRFD_CONFLICT', why, subject, plain);
  }
  if (plain.code === 'EACCES' || plain.code === 'EPERM') return dressed(PermissionError, plain);
  if (reason === REPLACE_REASON.notRegular || ['ELOOP', 'EISDIR', 'EMLINK'].includes(plain.code)) {
    return dressed(PathError, plain);
  }
  return dressed(AtomicWriteError, plain);
}

function dressed(Class: new (...args: ConstructorParameters<typeof FsError>) => FsError, plain: FsError): FsError {
  const { code, errno, syscall, path, pathBytes, dest, directory } = plain;
  const advice = ADVICE[code] ?? (syscall === 'fchownat' ? ADVICE.fchown : undefined);
  // What the plain error advises is about other verbs.
  const text = advice === undefined ? plain.message : `${plain.message.replace(/ \([^()]*\)$/, '')} (${advice})`;
  const fields = { code, errno, syscall, path, pathBytes: pathBytes as Buffer | undefined, dest, directory };
  return new Class(text, { ...fields, cause: plain });
}

/** Runs `act` again while it fails with what may pass. What an fsync has said is never asked again: the kernel tells it once. */
export async function retrying<T>(
  { attempts, delay, codes }: ReplaceHow,
  signal: AbortSignal | undefined,
  act: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      const { code = '', syscall } = error as FsError;
      if (attempt >= attempts || !codes.has(code) || syscall === 'fsync') throw error;
    }
    await sleep(delay * 2 ** (attempt - 1), undefined, signal ? { signal } : {}).catch(() => {});
  }
}
