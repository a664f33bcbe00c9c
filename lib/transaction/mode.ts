/** Modes go to the inode that is meant, by descriptor: its name may be another's by now. A mode is synced with its inode, not with a directory. */

import { toMode } from '../dirfd/flags.js';
import { FsError } from '../errors.js';
import { isAbsent, statOf } from './absent.js';
import { type Identity, isSame } from './identity.js';
import type { Pair } from './renames.js';

/** Brings an inode to the disk, now or with the rest; undefined: one that could not be opened. */
export type SyncInode = (inode: { sync(): Promise<void> } | undefined) => Promise<void>;

/**
 * @param from the mode that it must have, if not `to` already; without it, any
 * @returns 'other' where another inode, or none, has the name; 'edited' where it has neither mode
 */
export async function changeMode(
  pair: Pair,
  of: Identity,
  to: number,
  sync: SyncInode,
  from?: number,
): Promise<'set' | 'other' | 'edited'> {
  const { directory, name } = pair;
  const stat = await statOf(directory, name);
  if (!isSame(stat, of)) return 'other';
  const mode = stat.mode & 0o7777;
  if (from !== undefined && mode !== from && mode !== to) return 'edited';
  try {
    // Synced also where it has the mode already: whoever has set it may have been killed before that.
    return (await changeHeld(pair, of, mode === to ? undefined : to, sync)) ? 'set' : 'other';
  } catch (error) {
    if (isAbsent(error)) return 'other';
    if (!(error instanceof FsError) || error.code !== 'EACCES') throw error;
    // Its owner may set the mode of what not even the owner may open.
    if (mode !== to) await directory.chmod(name, to);
    await sync(undefined);
    return 'set';
  }
}

async function changeHeld(
  { directory, name }: Pair,
  of: Identity,
  to: number | undefined,
  sync: SyncInode,
): Promise<boolean> {
  if (of.kind === 'directory') {
    await using held = await directory.openDirectory(name);
    if (!isSame(await held.stat(), of)) return false;
    if (to !== undefined) await held.chmod('.', to);
    await sync(held);
  } else {
    await using held = await directory.openFile(name);
    if (!isSame(await held.stat(), of)) return false;
    if (to !== undefined) await held.chmod(to);
    await sync(held);
  }
  return true;
}

/** What a caller gives. @throws FsError ERR_DIRFD_INVALID_ARGUMENT */
export function modeOf(mode: number | string | undefined, verb: string): number | undefined {
  return mode === undefined ? undefined : toMode(mode, { verb });
}
