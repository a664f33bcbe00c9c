/** Modes go to the inode that is meant, by descriptor: its name may be another's by now. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { FsError } from '../errors.js';
import { isAbsent, statOf } from './absent.js';
import { type Identity, isSame } from './identity.js';

/**
 * @param from the mode that it must have, if not `to` already; without it, any
 * @returns 'other' where another inode, or none, has the name; 'edited' where it has neither mode
 */
export async function changeMode(
  directory: DirectoryFd,
  name: Buffer,
  of: Identity,
  to: number,
  from?: number,
): Promise<'set' | 'other' | 'edited'> {
  const stat = await statOf(directory, name);
  if (!isSame(stat, of)) return 'other';
  const mode = stat.mode & 0o7777;
  if (mode === to) return 'set';
  if (from !== undefined && mode !== from) return 'edited';
  try {
    return (await changeHeld(directory, name, of, to)) ? 'set' : 'other';
  } catch (error) {
    if (isAbsent(error)) return 'other';
    if (!(error instanceof FsError) || error.code !== 'EACCES') throw error;
    // Its owner may set the mode of what not even the owner may open.
    await directory.chmod(name, to);
    return 'set';
  }
}

async function changeHeld(directory: DirectoryFd, name: Buffer, of: Identity, to: number): Promise<boolean> {
  if (of.kind === 'directory') {
    await using held = await directory.openDirectory(name);
    if (!isSame(await held.stat(), of)) return false;
    await held.chmod('.', to);
  } else {
    await using held = await directory.openFile(name);
    if (!isSame(await held.stat(), of)) return false;
    await held.chmod(to);
  }
  return true;
}
