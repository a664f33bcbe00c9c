/**
 * What a symlink in a held directory leads to, wherever that is: the only way out of the directories that a copy holds, for those who ask for it.
 *
 *   link ── the kernel is led ──▶ a directory     held: the kernel's own answer, through any link
 *                            ├──▶ a FIFO, …       looked at, never opened
 *                            └──▶ a file          its name is sought, link by link, as files are copied by name from a held directory
 *
 * The file of that name must be the one that the kernel was led to. Where links are swapped meanwhile the two are sought again. Magic links of
 * /proc need no rule of their own: one to a directory is the kernel's to follow; the text of one to a file is believed only where it names
 * that very file, and not "/bin/sh (deleted)", or the /bin/sh of another root.
 */

import { DirectoryFd } from '../dirfd/directory-fd.js';
import { INTERNAL } from '../dirfd/fd.js';
import { Stat } from '../dirfd/stat.js';
import { FsError, ownError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import type { NativeHandle } from '../native/surface.js';
import type { Place } from './place.js';

/** A place that something was found at. */
export interface Reached extends Place {
  readonly stat: Stat;
}

const SELF = Buffer.from('.');
const SLASH = 0x2f;

/** path_resolution(7). The kernel has followed no more, so a search that meets another was led astray. */
const MOST_LINKS = 40;

/** Under an endless exchange of two names, most searches meet one of them twice. */
const SEARCHES = 16;

/** What a search meets where the links have changed, or never told the truth. Whether the link dangles is the kernel's to say. */
const ASTRAY: readonly string[] = ['ENOENT', 'ENOTDIR', 'EINVAL'];

/**
 * @returns a place whose directory is the caller's to close
 * @throws FsError ENOENT where nothing is there, ELOOP, EACCES, ENOTDIR, each naming the link and its directory; ERR_DIRFD_CHANGED for a file
 *   that is not found where the links say
 */
export async function followLink(link: Place): Promise<Reached> {
  for (let search = 0; search < SEARCHES; search++) {
    const handle = await openBeyond(link.directory, link.name);
    let held: NativeHandle | undefined = handle;
    try {
      const stat = new Stat(await native.statFd(handle));
      if (!stat.isFile()) {
        held = undefined;
        return { ...link, directory: DirectoryFd.adopt(handle, link.directory, link.name), name: SELF, stat };
      }
      // While it is held, no other file has its inode number.
      const found = await findFile(link, stat);
      if (found) return found;
    } finally {
      if (held) await native.close(held);
    }
  }
  const subject = { verb: 'cp', path: link.name, directory: link.directory.path };
  throw ownError('ERR_DIRFD_CHANGED', 'the file that the link leads to does not lie where the link says', subject);
}

/** Whether the target of a link leads to a directory, from the one that the link lies in. */
export async function leadsToDirectory(directory: DirectoryFd, target: Buffer): Promise<boolean> {
  const handle = await openBeyond(directory, target).catch(() => undefined);
  if (!handle) return false;
  try {
    return new Stat(await native.statFd(handle)).isDirectory();
  } finally {
    await native.close(handle);
  }
}

/** @returns undefined where another file is found, or none */
async function findFile(link: Place, { dev, ino }: Stat): Promise<Reached | undefined> {
  let directory = await directoryBeyond(link.directory, SELF);
  let name = link.name;
  let found: Reached | undefined;
  try {
    for (let links = 0; links <= MOST_LINKS; links++) {
      const stat = await directory.stat(name);
      if (stat.dev === dev && stat.ino === ino) found = { directory, name, path: link.path, stat };
      if (!stat.isSymbolicLink()) break;
      const target = await directory.readlink(name, { encoding: 'buffer' });
      const slash = target.lastIndexOf(SLASH);
      const next = await directoryBeyond(directory, slash < 0 ? SELF : target.subarray(0, slash + 1));
      await directory.close();
      directory = next;
      name = target.subarray(slash + 1);
      if (isDirectoryForm(name)) break;
    }
  } catch (error) {
    if (!(error instanceof FsError) || !ASTRAY.includes(error.code)) throw error;
  } finally {
    if (!found) await directory.close();
  }
  return found;
}

/** A target that ends so leads to no file. */
function isDirectoryForm(name: Buffer): boolean {
  return ['', '.', '..'].includes(name.toString('latin1'));
}

async function directoryBeyond(directory: DirectoryFd, path: Buffer): Promise<DirectoryFd> {
  return DirectoryFd.adopt(await openBeyond(directory, path), directory, path);
}

async function openBeyond(directory: DirectoryFd, path: Buffer): Promise<NativeHandle> {
  try {
    return await native.openBeyond(directory[INTERNAL].handle, path);
  } catch (thrown) {
    throw toFsError(thrown, native.callNames, { verb: 'cp', path, directory: directory.path });
  }
}
