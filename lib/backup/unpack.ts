/** The compressed files of a part of a version, decompressed in the copy that is to be restored. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import type { ErrorSubject } from '../errors.js';
import { carryOver } from '../transaction/carry-over.js';
import { DamagedContent, hashContent } from './content.js';
import { EditedDirectories } from './edited-directories.js';
import { inOrder } from './in-order.js';
import type { VersionFile } from './manifest.js';
import { damaged, faultOf } from './verify.js';

/** What the manifest says of a file, and where it lies in the copy. */
export interface PackedFile {
  readonly file: VersionFile;
  readonly path: Buffer;
}

/**
 * @throws IntegrityError for content that is not what was backed up
 */
export async function unpackFiles(
  copy: DirectoryFd,
  files: readonly PackedFile[],
  { signal }: SignalOptions,
  subject: ErrorSubject,
): Promise<void> {
  if (files.length === 0) return;
  const edited = new EditedDirectories(copy);
  // For the files without a name, which are made in it.
  await edited.enterRoot();
  /** Of files with several names, by the inode of the copy: the name that gets the content first. */
  const first = new Map<bigint, { readonly path: Buffer; readonly done: Promise<void>; readonly sha256: string }>();
  const open = async (path: Buffer): Promise<FileFd> => {
    await edited.enter(path);
    return await copy.openFile(path, { signal });
  };
  const unpack = async ({ file, path }: PackedFile): Promise<void> => {
    await using packed = await open(path).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw damaged(file, faultOf(file, error), subject);
    });
    const { ino, nlink } = await packed.stat();
    const other = first.get(ino);
    if (other) {
      if (other.sha256 !== file.sha256) throw damaged(file, { path: file.path, why: 'changed' }, subject);
      await other.done;
      return edited.link(copy, other.path, path);
    }
    const done = unpackOne(copy, packed, { file, path }, { signal }, subject);
    if (nlink > 1) first.set(ino, { path, done, sha256: file.sha256 });
    await done;
  };
  for await (const _ of inOrder(files, unpack));
  await edited.leave();
}

async function unpackOne(
  copy: DirectoryFd,
  packed: FileFd,
  { file, path }: PackedFile,
  { signal }: SignalOptions,
  subject: ErrorSubject,
): Promise<void> {
  await using plain = await copy.createTemporaryFile();
  const { compression, size: atMost } = file;
  const sum = await hashContent(packed, { signal, compression, atMost, into: plain }).catch((error: unknown) => {
    if (error instanceof DamagedContent) return undefined;
    throw error;
  });
  if (sum?.sha256 !== file.sha256) {
    const actual = sum && { actual: sum.sha256 };
    throw damaged(file, { path: file.path, why: 'changed', ...actual }, subject);
  }
  await carryOver(packed, plain, 'same');
  await plain.linkInto(copy, path, { replace: true });
}
