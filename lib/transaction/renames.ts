/**
 * The three ways in which names and slots change places, and what does their work on file systems without the flags of renameat2(2) (NFS, exFAT,
 * some of FUSE). There, an entry that is replaced goes to `SLOT.old`.
 *
 *   take       name ──▶ slot     the slot is free, and nobody else can name it
 *   give       name ◀── slot     fails with EEXIST where the name is taken
 *   exchange   name ◀─▶ slot
 */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { FsError } from '../errors.js';

/** A name in a held directory, and a slot in the transaction's own. */
export interface Pair {
  readonly directory: DirectoryFd;
  readonly name: Buffer;
  readonly work: DirectoryFd;
  readonly slot: string;
}

export function oldSlotOf(slot: string): string {
  return `${slot}.old`;
}

export async function take({ directory, name, work, slot }: Pair): Promise<void> {
  await directory.rename(name, work, slot);
}

export async function give({ directory, name, work, slot }: Pair): Promise<void> {
  if (await unlessUnsupported(work.rename(slot, directory, name, { noReplace: true }))) return;
  const isDirectory = (await work.stat(slot)).isDirectory();
  if (!isDirectory && (await unlessUnsupported(work.link(slot, directory, name)))) {
    await work.unlink(slot);
    return;
  }
  // Nothing here is as good as the flag: a name that somebody takes between the two calls is lost to them.
  if (await directory.exists(name)) {
    throw new FsError(`EEXIST: file already exists, rename '${name}'`, { code: 'EEXIST', syscall: 'rename' });
  }
  await work.rename(slot, directory, name);
}

export async function exchange({ directory, name, work, slot }: Pair): Promise<void> {
  if (await unlessUnsupported(work.rename(slot, directory, name, { exchange: true }))) return;
  const old = oldSlotOf(slot);
  const areFiles = !(await directory.stat(name)).isDirectory() && !(await work.stat(slot)).isDirectory();
  // With a second name for the old file the new one can take its place in one step; without, there is a moment with neither.
  if (!areFiles || !(await unlessUnsupported(directory.link(name, work, old)))) await directory.rename(name, work, old);
  await work.rename(slot, directory, name);
}

/** Takes back an exchange that left the old entry in `SLOT.old`. */
export async function exchangeBack({ directory, name, work, slot }: Pair): Promise<void> {
  const old = oldSlotOf(slot);
  if (await unlessUnsupported(work.rename(old, directory, name, { exchange: true }))) return;
  await directory.rename(name, work, slot);
  await work.rename(old, directory, name);
}

/** EPERM is what link(2) says where a file system has no hard links, EMLINK where a file has all that it may. */
const UNSUPPORTED: readonly string[] = ['EINVAL', 'ENOSYS', 'ENOTSUP', 'EPERM', 'EMLINK'];

async function unlessUnsupported(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof FsError && UNSUPPORTED.includes(error.code)) return false;
    throw error;
  }
}
