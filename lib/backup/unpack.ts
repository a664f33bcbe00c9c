/** The compressed files of a part of a version, decompressed in the copy that is to be restored. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { ErrorSubject } from '../errors.js';
import { carryOver } from '../transaction/carry-over.js';
import { DamagedContent, hashContent } from './content.js';
import { EditedDirectories } from './edited-directories.js';
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
  /** Of files with several names: where the content of an inode of the copy has gone. */
  const unpacked = new Map<bigint, Buffer>();
  for (const { file, path } of files) {
    await edited.enter(path);
    await using packed = await copy.openFile(path, { signal });
    const { ino, nlink } = await packed.stat();
    const first = unpacked.get(ino);
    if (first) {
      await edited.link(copy, first, path);
      continue;
    }
    await using plain = await copy.createTemporaryFile();
    await using stored = await content.openFile(pathOf(file), { signal });
    const { compression, size: atMost } = file;
    const sum = await hashContent(stored, { signal, compression, atMost, into: plain }).catch((error: unknown) => {
      if (error instanceof DamagedContent) return undefined;
      throw error;
    });
    if (sum?.sha256 !== file.sha256)
      throw damaged(file, { path: file.path, why: 'changed', ...toActual(sum) }, subject);
    await carryOver(packed, plain, 'same');
    await plain.linkInto(copy, path, { replace: true });
    if (nlink > 1) unpacked.set(ino, path);
  }
  await edited.leave();
}

function toActual(sum: { readonly sha256: string } | undefined): { readonly actual?: string } {
  return sum ? { actual: sum.sha256 } : {};
}
