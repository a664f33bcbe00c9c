/**
 * A version, or a part of it, is put back: verified, copied beside its place, decompressed and verified there, made durable, and exchanged with what is
 * there in one step.
 *
 *   nothing there   rename(copy → name), which replaces nothing
 *   something       renameat2(EXCHANGE), then what was there is removed
 *   keepAs          rename(copy → keepAs), which replaces nothing, then renameat2(EXCHANGE) of the two: what was there has its name at once
 *
 * From the exchange on, the name of the copy is the name of what was there: no failure removes it.
 */

import { createHash, randomBytes } from 'node:crypto';
import { copyTree } from '../copy/job.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import { checkRelative, type RelativePath } from '../dirfd/path.js';
import { type ErrorSubject, FsError } from '../errors.js';
import { IntegrityError, operationError, RestoreError, VersionError } from '../operation-errors.js';
import { type BackupSource, CONTENT, copySingle, SINGLE } from './create.js';
import { entryFaults } from './entries.js';
import { type BackupLosses, toLosses } from './losses.js';
import type { Manifest } from './manifest.js';
import { filesOf, type PartFile, plainPath, WHOLE } from './part.js';
import { removeWhole } from './remove-whole.js';
import { type PackedFile, unpackFiles } from './unpack.js';
import { checkFiles, checkReadable } from './verify.js';

/** How a version is put back. */
export interface RestoreBackupOptions extends SignalOptions {
  /** Only this part of the version, relative to what was backed up; it becomes the target. */
  readonly path?: RelativePath | undefined;
  /** Put what was there under this name, beside it, instead of removing it. Nothing may have that name. */
  readonly keepAs?: string | undefined;
}

/** What a restore leaves beside its target when it is killed: of this name, and 16 hexadecimal digits. */
export const RESTORING = '.dirfd-restoring-';

function newStaging(): string {
  return `${RESTORING}${randomBytes(8).toString('hex')}`;
}

/** For restores that are begun again after a crash: the same each time, so that what the one before has left is known. */
export function stagingOf(purpose: string): string {
  return `${RESTORING}${createHash('sha256').update(purpose).digest('hex').slice(0, 16)}`;
}

/** Why the directory that was given cannot be the target. */
export const IN_ITSELF = 'a directory is replaced in the one that holds it: give that one, and the name';

/** Where a single file is while its directory goes, whose name is to be its own. */
const fileOf = (staging: string): string => `${staging}.file`;

/** What a restore has done, and what of the version the target could not take. */
export interface RestoreReport extends BackupLosses {
  /** Something stood there before. */
  readonly replaced: boolean;
}

/** @param options `staging`: nobody else's name, for the copy until it is in its place; what an earlier attempt has left of that name goes first */
export async function restoreVersion(
  version: DirectoryFd,
  manifest: Manifest,
  { directory, path }: BackupSource,
  options: RestoreBackupOptions & { readonly staging?: string },
  subject: ErrorSubject,
): Promise<RestoreReport> {
  const { signal, path: part, keepAs, staging = newStaging() } = options;
  if (part !== undefined) checkRelative(part, subject);
  checkReadable(manifest, subject);
  await using content = await version.openDirectory(CONTENT);
  const wanted = await findPart(content, manifest, part ?? WHOLE);
  // What is compressed in a tree is checked as it is decompressed, which is before anything is put in its place, too.
  const first = wanted.files.map(({ file }) => file).filter((file) => !(wanted.isDirectory && file.compression));
  await checkFiles(content, first, { signal }, subject);
  if (wanted.isDirectory) {
    const [fault] = await entryFaults(content, manifest, wanted.path.toString('latin1'), { signal });
    if (fault) {
      const why = `the version is damaged: '${fault.path}' is ${fault.why}`;
      throw operationError(IntegrityError, 'ERR_DIRFD_INTEGRITY', why, subject, undefined, {
        expected: '',
        actual: '',
      });
    }
  }
  const plain = plainPath(checkRelative(path, { ...subject, path }));
  if (plain === WHOLE) throw operationError(RestoreError, 'ERR_DIRFD_RECOVERY', IN_ITSELF, subject);
  const bytes = Buffer.from(plain, 'latin1');
  const slash = bytes.lastIndexOf('/');
  const name = bytes.subarray(slash + 1);
  await using parent = await directory.openDirectory(slash < 0 ? '.' : bytes.subarray(0, slash));
  if (options.staging !== undefined) await removeStaged(parent, staging);
  let losses: BackupLosses;
  try {
    losses = await copyPart(content, wanted, parent, staging, signal, subject);
    await parent.syncFileSystem();
    signal?.throwIfAborted();
    if (!(await parent.exists(name))) {
      await parent.rename(staging, name, { noReplace: true });
      await parent.sync();
      return { replaced: false, ...losses };
    }
    await putInPlace(parent, staging, name, keepAs);
  } catch (error) {
    await removeStaged(parent, staging).catch(() => {});
    throw error;
  }
  await settle(parent, keepAs ?? staging, keepAs === undefined, subject);
  return { replaced: true, ...losses };
}

/** Removes what restores have left in a directory; nobody may be restoring into it. @returns how much there was */
export async function removeRestoreDebris(parent: DirectoryFd): Promise<number> {
  const names = (await parent.readdir()).filter((name) => /^\.dirfd-restoring-[0-9a-f]{16}(\.file)?$/.test(name));
  for (const name of names) await removeWhole(parent, name);
  return names.length;
}

async function removeStaged(parent: DirectoryFd, staging: string): Promise<void> {
  const outcomes = await Promise.allSettled([staging, fileOf(staging)].map((name) => removeWhole(parent, name)));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

interface WantedPart {
  /** In the content, in plain form. */
  readonly path: Buffer;
  readonly isDirectory: boolean;
  readonly files: readonly PartFile[];
}

/** @throws VersionError for what the version has not: a regular file that its manifest does not know was put there by somebody else */
async function findPart(content: DirectoryFd, manifest: Manifest, part: RelativePath): Promise<WantedPart> {
  const told = { verb: 'restore', directory: content.path, path: part };
  const plain = plainPath(part);
  const isSingle = manifest.kind === 'file' && plain === WHOLE;
  const path = isSingle ? SINGLE : plain;
  // As it was asked for: a slash after the name of a file is an error.
  const stat = await content.stat(isSingle ? SINGLE : part).catch((error: unknown) => {
    if (!(error instanceof FsError) || (error.code !== 'ENOENT' && error.code !== 'ENOTDIR')) throw error;
    // Known, and not there: the check of the files tells of the damage.
    if (filesOf(manifest, path).length > 0 && error.code === 'ENOENT') return undefined;
    throw operationError(VersionError, 'ERR_DIRFD_BACKUP', 'the version has no such entry', told, error);
  });
  const files = filesOf(manifest, path);
  if (stat?.isFile() && files.length === 0) {
    throw operationError(VersionError, 'ERR_DIRFD_BACKUP', 'the version has no such entry', told);
  }
  return { path: Buffer.from(path, 'latin1'), isDirectory: stat?.isDirectory() === true, files };
}

async function copyPart(
  content: DirectoryFd,
  { path, isDirectory, files }: WantedPart,
  parent: DirectoryFd,
  staging: string,
  signal: AbortSignal | undefined,
  subject: ErrorSubject,
): Promise<BackupLosses> {
  await parent.mkdir(staging, { mode: 0o700 });
  if (!isDirectory) {
    await using place = await parent.openDirectory(staging);
    const losses = await copySingle(content, path, place, SINGLE, { signal });
    const packed = packedAmong(files).map(({ file }) => ({ file, path: Buffer.from(SINGLE) }));
    await unpackFiles(place, packed, { signal }, subject);
    await place.rename(SINGLE, parent, fileOf(staging));
    await parent.rmdir(staging);
    await parent.rename(fileOf(staging), staging);
    return losses;
  }
  await using from = await content.openDirectory(path);
  await using to = await parent.openDirectory(staging);
  const losses = toLosses(await copyTree(from, to, { signal }));
  await unpackFiles(to, packedAmong(files), { signal }, subject);
  return losses;
}

function packedAmong(files: readonly PartFile[]): PackedFile[] {
  return files
    .filter(({ file }) => file.compression !== undefined)
    .map(({ file, path }) => ({ file, path: Buffer.from(path, 'latin1') }));
}

/** A failure leaves all as it was, the copy under its own name. */
async function putInPlace(
  parent: DirectoryFd,
  staging: string,
  name: Buffer,
  keepAs: string | undefined,
): Promise<void> {
  if (keepAs === undefined) return parent.rename(staging, name, { exchange: true });
  await parent.rename(staging, keepAs, { noReplace: true });
  try {
    await parent.rename(keepAs, name, { exchange: true });
  } catch (error) {
    await parent.rename(keepAs, staging, { noReplace: true });
    throw error;
  }
}

/** The exchange is made durable before what was there may go. Whatever fails from here on, the version stands in its place, and the error says so. */
async function settle(parent: DirectoryFd, old: string, remove: boolean, subject: ErrorSubject): Promise<void> {
  try {
    await parent.sync();
  } catch (error) {
    const kept = remove ? await setAside(parent, old) : old;
    const why = `restored, but perhaps not on the disk yet; what was there is kept as '${kept}'`;
    throw operationError(RestoreError, 'ERR_DIRFD_RECOVERY', why, subject, error);
  }
  if (!remove) return;
  try {
    await removeWhole(parent, old);
  } catch (error) {
    const why = `restored, but what was there could not be removed: the rest of it is '${old}', and cleanup() removes it`;
    throw operationError(RestoreError, 'ERR_DIRFD_RECOVERY', why, subject, error);
  }
}

/** Gives it a name that no cleanup takes for debris. @returns the name that it has now */
async function setAside(parent: DirectoryFd, old: string): Promise<string> {
  const kept = `.dirfd-replaced-${randomBytes(8).toString('hex')}`;
  return parent.rename(old, kept, { noReplace: true }).then(
    () => kept,
    () => old,
  );
}
