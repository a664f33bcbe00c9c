/**
 * A directory that takes the place of another, which is then the caller's to remove. A failure leaves both as they were; where one cannot be
 * moved back, both are there, and by which names the error tells.
 *
 *   renameat2(RENAME_EXCHANGE) ──▶ the old one goes by the new one's former name
 *   where that cannot be: the old one is moved aside ──▶ rename, or the old one is moved back
 */

import { randomBytes } from 'node:crypto';
import type { Stat } from '../dirfd/stat.js';
import { FsError, ownError } from '../errors.js';
import { lookAt, type Place } from './place.js';
import { alreadyExists } from './refusals.js';

/** A name that nobody has, for what is on its way. */
export function privateName(): Buffer {
  return Buffer.from(`.dirfd-moving-${randomBytes(8).toString('hex')}`);
}

/** @throws Error `dest already exists.` */
export async function renameNew(from: Place, to: Place): Promise<void> {
  try {
    await from.directory.rename(from.name, to.directory, to.name, { noReplace: true });
  } catch (error) {
    const code = error instanceof FsError ? error.code : undefined;
    // EINVAL: a file system that knows no such flag (NFS, old FUSE); or one directory in the other, which is refused for that again.
    const isFree = code === 'EINVAL' && !(await lookAt(to.directory, to.name));
    if (isFree) return await from.directory.rename(from.name, to.directory, to.name);
    throw code === 'EEXIST' || code === 'EINVAL' ? alreadyExists(to.path) : error;
  }
}

/**
 * No exchange on this file system, or one directory holds the other (EINVAL); no right to give one of them another '..' (EACCES). The second
 * way does not move the old one to another parent.
 */
const NO_EXCHANGE: readonly string[] = ['EINVAL', 'EACCES'];

/**
 * @param present what was found at `to`; anything else does not give way
 * @returns where the old one is now
 * @throws FsError EXDEV where the two lie on different file systems; nothing has changed then
 */
export async function replaceDirectory(from: Place, to: Place, present: Stat): Promise<Place> {
  const exchange = () => from.directory.rename(from.name, to.directory, to.name, { exchange: true });
  const isExchanged = await exchange().then(
    () => true,
    (error: unknown) => {
      if (error instanceof FsError && NO_EXCHANGE.includes(error.code)) return false;
      throw error;
    },
  );
  if (!isExchanged) return await replaceByWayOfAside(from, to, present);
  return await agreedTo(from, to, present, exchange);
}

async function replaceByWayOfAside(from: Place, to: Place, present: Stat): Promise<Place> {
  const aside = { ...to, name: privateName() };
  await to.directory.rename(to.name, to.directory, aside.name);
  const back = () => to.directory.rename(aside.name, to.directory, to.name);
  try {
    await from.directory.rename(from.name, to.directory, to.name);
  } catch (error) {
    await back();
    throw error;
  }
  return await agreedTo(aside, to, present, async () => {
    await to.directory.rename(to.name, from.directory, from.name);
    await back();
  });
}

/** What somebody has put there since it was looked at, or cannot be looked at, nobody has agreed to lose: all goes back. */
async function agreedTo(old: Place, to: Place, present: Stat, undo: () => Promise<void>): Promise<Place> {
  try {
    const { ino, dev } = await old.directory.stat(old.name);
    if (ino === present.ino && dev === present.dev) return old;
    throw ownError('ERR_DIRFD_CHANGED', 'the destination was replaced meanwhile', { verb: 'move', path: to.path });
  } catch (error) {
    await undo();
    throw error;
  }
}
