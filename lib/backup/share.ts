/**
 * Files that are in every respect as in the version before become further names of them. Compared, not believed: bytes, owner, mode, times,
 * xattrs; a file that differs in anything stays one of its own. One that is compressed there is compared by its sum, found anew on both
 * sides; it stays in the form in which it is stored, whatever this version asks for.
 */

import { diffTree, verifyTree } from '../copy/verify.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { Stat } from '../dirfd/stat.js';
import { FsError } from '../errors.js';
import { walk } from '../walk/walk.js';
import { canDecompress } from './compression.js';
import { DamagedContent, hashFile } from './content.js';
import { ApartPaths, type FilesByPath, isOfContent } from './diff.js';
import { EditedDirectories } from './edited-directories.js';
import { inOrder } from './in-order.js';
import type { VersionFile } from './manifest.js';

/** What a file system says that has no hard links, or no more of them for this file. */
const CANNOT_LINK = new Set(['EMLINK', 'EPERM', 'EXDEV', 'ENOTSUP']);

/** How much of a file is compared. */
export interface ShareOptions extends SignalOptions {
  /** Size and time, not the bytes. */
  readonly quick: boolean;
  /** The files that are compressed in the version before. */
  readonly packed: FilesByPath;
}

/** @returns the paths of the files that are shared, one byte a character */
export async function shareUnchanged(
  before: DirectoryFd,
  now: DirectoryFd,
  { signal, quick, packed }: ShareOptions,
): Promise<ReadonlySet<string>> {
  const different = new Set<string>();
  const apart = new ApartPaths();
  const comparison = (quick ? diffTree : verifyTree)(before, now, { signal });
  for await (const event of comparison) {
    const path = event.pathBytes.toString('latin1');
    if (!isOfContent(event) || !packed.has(path)) different.add(path);
    apart.add(event);
  }
  await comparison;
  const shared = new Set<string>();
  const edited = new EditedDirectories(now);
  const share = async ({ pathBytes, stat }: { pathBytes: Buffer; stat: Stat }): Promise<void> => {
    const path = pathBytes.toString('latin1');
    if (stat.nlink > 1 || different.has(path) || apart.covers(path)) return;
    const file = packed.get(path);
    if (file) {
      if (Number(stat.exactSize) !== file.size) return;
      if (!quick && !(await hasSameContent(before, now, pathBytes, file, { signal }))) return;
    }
    await edited.enter(pathBytes);
    if (await becomeLink(before, pathBytes, edited)) shared.add(path);
  };
  for await (const _ of inOrder(walk(now, { kinds: ['file'], signal }), share));
  // The names have changed the directories' times, which are part of what is kept.
  await edited.leave();
  return shared;
}

async function hasSameContent(
  before: DirectoryFd,
  now: DirectoryFd,
  path: Buffer,
  { size, sha256, compression }: VersionFile,
  options: SignalOptions,
): Promise<boolean> {
  if (!canDecompress(compression) || (await hashFile(now, path, options)).sha256 !== sha256) return false;
  try {
    return (await hashFile(before, path, { ...options, compression, atMost: size })).sha256 === sha256;
  } catch (error) {
    if (error instanceof DamagedContent || error instanceof FsError) return false;
    throw error;
  }
}

async function becomeLink(before: DirectoryFd, path: Buffer, edited: EditedDirectories): Promise<boolean> {
  try {
    await edited.link(before, path, path);
    return true;
  } catch (error) {
    if (error instanceof FsError && CANNOT_LINK.has(error.code)) return false;
    throw error;
  }
}
