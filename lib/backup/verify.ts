/** A version read again, every byte of it, and held against its manifest. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import { type ErrorSubject, FsError } from '../errors.js';
import { IntegrityError, operationError } from '../operation-errors.js';
import { walk } from '../walk/walk.js';
import { canDecompress, unsupported } from './compression.js';
import { DamagedContent, hashFile } from './content.js';
import { byPath } from './diff.js';
import { entryFaults } from './entries.js';
import { inOrder } from './in-order.js';
import { type Manifest, pathOf, type VersionFile } from './manifest.js';
import { WHOLE } from './part.js';

/** What a verification has found. */
export interface BackupReport {
  readonly id: string;
  readonly intact: boolean;
  readonly files: number;
  readonly bytes: number;
  /** What is not as the manifest says. */
  readonly faults: readonly BackupFault[];
}

export interface BackupFault {
  readonly path: string;
  readonly why: 'missing' | 'changed' | 'extra' | 'unreadable';
  /** SHA-256, of a file that has changed; `actual` is absent where it cannot be decompressed. */
  readonly expected?: string;
  readonly actual?: string;
}

export async function verifyVersion(
  content: DirectoryFd,
  manifest: Manifest,
  options: SignalOptions,
): Promise<BackupReport> {
  const faults: BackupFault[] = [];
  for await (const fault of inOrder(manifest.files, (file) => findFault(content, file, options))) {
    if (fault) faults.push(fault);
  }
  const known = byPath(manifest.files);
  for await (const { path, pathBytes } of walk(content, { kinds: ['file'], ...options })) {
    if (!known.has(pathBytes.toString('latin1'))) faults.push({ path, why: 'extra' });
  }
  faults.push(...(await entryFaults(content, manifest, WHOLE, options)));
  const { id, fileCount, bytes } = manifest;
  return { id, intact: faults.length === 0, files: fileCount, bytes, faults };
}

/** @throws IntegrityError for the first of the files that is not what was backed up */
export async function checkFiles(
  content: DirectoryFd,
  files: readonly VersionFile[],
  options: SignalOptions,
  subject: ErrorSubject,
): Promise<void> {
  const check = async (file: VersionFile): Promise<void> => {
    const fault = await findFault(content, file, options);
    if (fault) throw damaged(file, fault, subject);
  };
  for await (const _ of inOrder(files, check));
}

/** @throws FsError ERR_DIRFD_UNSUPPORTED for a version that this Node cannot read */
export function checkReadable({ files }: Manifest, subject: ErrorSubject): void {
  const foreign = files.find(({ compression }) => !canDecompress(compression))?.compression;
  if (foreign) throw unsupported(foreign, subject);
}

export function damaged(file: VersionFile, fault: BackupFault, subject: ErrorSubject): IntegrityError {
  const why = `the version is damaged: '${fault.path}' is ${fault.why}`;
  const hashes = { expected: file.sha256, actual: fault.actual ?? '' };
  return operationError(IntegrityError, 'ERR_DIRFD_INTEGRITY', why, subject, undefined, hashes);
}

async function findFault(
  content: DirectoryFd,
  file: VersionFile,
  options: SignalOptions,
): Promise<BackupFault | undefined> {
  try {
    const { compression, size: atMost } = file;
    const { sha256 } = await hashFile(content, pathOf(file), { ...options, compression, atMost });
    if (sha256 === file.sha256) return undefined;
    return { path: file.path, why: 'changed', expected: file.sha256, actual: sha256 };
  } catch (error) {
    options.signal?.throwIfAborted();
    return faultOf(file, error);
  }
}

/** What it says of a file that it could not be read. @throws what says nothing of it */
export function faultOf({ path, sha256 }: VersionFile, error: unknown): BackupFault {
  if (error instanceof DamagedContent) return { path, why: 'changed', expected: sha256 };
  if (!(error instanceof FsError)) throw error;
  return { path, why: error.code === 'ENOENT' || error.code === 'ENOTDIR' ? 'missing' : 'unreadable' };
}
