/** The compressed files of a part of a version, decompressed in the copy that is to be restored. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import type { ErrorSubject } from '../errors.js';
import { carryOver } from '../transaction/carry-over.js';
import { DamagedContent, hashContent } from './content.js';
import { EditedDirectories } from './edited-directories.js';
import { inOrder } from './in-order.js';
import { pathOf, type VersionFile } from './manifest.js';
import { damaged } from './verify.js';

/** Where a file lies in the version's content, and where in the copy. */
export interface PackedFile {
  readonly file: VersionFile;
  readonly path: Buffer;
}

/**
 * @throws IntegrityError for content that is not what was backed up
 */
export async function unpackFiles(
  content: DirectoryFd,
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
  const first = new Map<bigint, { readonly path: Buffer; readonly done: Promise<void> }>();
  const unpack = async ({ file, path }: PackedFile): Promise<void> => {
    await edited.enter(path);
    await using packed = await copy.openFile(path, { signal });
    const { ino, nlink } = await packed.stat();
    const other = first.get(ino);
    if (other) {
      await other.done;
      return edited.link(copy, other.path, path);
    }
    const done = unpackOne(content, copy, packed, { file, path }, { signal }, subject);
    if (nlink > 1) first.set(ino, { path, done });
    await done;
  };
  for await (const _ of inOrder(files, unpack));
  await edited.leave();
}

async function unpackOne(
  content: DirectoryFd,
  copy: DirectoryFd,
  packed: FileFd,
  { file, path }: PackedFile,
  { signal }: SignalOptions,
  subject: ErrorSubject,
): Promise<void> {
  await using plain = await copy.createTemporaryFile();
  await using stored = await content.openFile(pathOf(file), { signal });
  const { compression, size: atMost } = file;
  const sum = await hashContent(stored, { signal, compression, atMost, into: plain }).catch((error: unknown) => {
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
