/** move(), as fs-extra has it; between file systems nothing is lost. */

import { copyTree } from '../copy/job.js';
import { settle } from '../copy/options.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { isInside } from '../dirfd/inside.js';
import type { Stat } from '../dirfd/stat.js';
import { FsError } from '../errors.js';
import { Leaf } from './leaf.js';
import { lookAt, makeParents, openDestination, openPlace, type PathLike, type Place } from './place.js';
import { alreadyExists, notAllKept, refuseMove } from './refusals.js';
import { privateName, replaceDirectory } from './replace-directory.js';

export interface MoveOptions {
  /** Replace what stands at the destination, once what comes is complete. Default false: it is an error, `dest already exists.` */
  readonly overwrite?: boolean | undefined;
  /** The older name of `overwrite`. */
  readonly clobber?: boolean | undefined;
}

/**
 * Renames, making the directories above `dest`. Between file systems, a copy with all metadata, and only when that is complete the source is
 * removed; what could not be kept is an error, and the source stays.
 */
export async function move(src: PathLike, dest: PathLike, options: MoveOptions = {}): Promise<void> {
  const overwrite = options.overwrite ?? options.clobber ?? false;
  const from = await openPlace(src);
  try {
    const stat = await from.directory.stat(from.name);
    const destination = await openDestination(dest);
    let { nearest: held } = destination;
    try {
      const { missing, name, path } = destination;
      const present = missing.length === 0 ? await lookAt(held, name) : undefined;
      check(from, stat, path, present);
      if (stat.isDirectory() && (await isWithin(held, from))) throw refuseMove('intoItself', from.path, path);
      const to = await makeParents(destination);
      held = to.directory;
      await moveTo(from, stat, to, overwrite ? present : undefined);
    } finally {
      await held.close();
    }
  } finally {
    await from.directory.close();
  }
}

function check(from: Place, stat: Stat, dest: Buffer, present: Stat | undefined): void {
  if (!present) return;
  if (present.ino === stat.ino && present.dev === stat.dev) throw refuseMove('same', from.path, dest);
  if (stat.isDirectory() && !present.isDirectory()) throw refuseMove('directoryOverOther', from.path, dest);
  if (!stat.isDirectory() && present.isDirectory()) throw refuseMove('otherOverDirectory', from.path, dest);
}

async function isWithin(held: DirectoryFd, { directory, name }: Place): Promise<boolean> {
  await using outer = await directory.openDirectory(name);
  return await isInside(held, outer, 'move');
}

/** @param present what is to be overwritten, if anything is: it stays until what comes is complete */
async function moveTo(from: Place, stat: Stat, to: Place, present: Stat | undefined): Promise<void> {
  const replaced = await renameTo(from, to, present).catch((error: unknown) => {
    const code = error instanceof FsError ? error.code : undefined;
    if (code === 'EEXIST') throw alreadyExists(to.path);
    if (code !== 'EXDEV') throw error;
    return 'otherFileSystem' as const;
  });
  if (replaced !== 'otherFileSystem') return await removeReplaced(replaced);
  if (!present && (await lookAt(to.directory, to.name))) throw alreadyExists(to.path);
  await moveAcross(from, stat, to, present);
}

/** @returns where the directory is that has given way, if one has */
async function renameTo(from: Place, to: Place, present: Stat | undefined): Promise<Place | undefined> {
  if (present?.isDirectory()) return await replaceDirectory(from, to, present);
  await from.directory.rename(from.name, to.directory, to.name, { noReplace: present === undefined });
  return undefined;
}

async function removeReplaced(replaced: Place | undefined): Promise<void> {
  await replaced?.directory.removeTree(replaced.name);
}

/** The source is removed when all of it has arrived. */
async function moveAcross(from: Place, stat: Stat, to: Place, present: Stat | undefined): Promise<void> {
  if (!present) {
    if (stat.isDirectory()) await copyDirectory(from, to, to.name);
    else await copyLeaf(from, to, to.name);
  } else {
    const beside = { ...to, name: privateName() };
    if (stat.isDirectory()) await copyDirectory(from, to, beside.name);
    else await copyLeaf(from, to, beside.name);
    const copy = await orNothing(to.directory, beside.name, () => to.directory.stat(beside.name));
    await removeReplaced(await orNothing(to.directory, beside.name, () => renameTo(beside, to, present), copy));
  }
  await from.directory.removeTree(from.name);
}

async function copyDirectory(from: Place, to: Place, name: Buffer): Promise<void> {
  await using source = await from.directory.openDirectory(from.name);
  await to.directory.mkdir(name, { mode: 0o700 });
  await orNothing(to.directory, name, async () => {
    await using destination = await to.directory.openDirectory(name);
    const { notKept } = await copyTree(source, destination, { accessTimes: true });
    const [lost] = notKept;
    if (lost) throw notAllKept(from.path, to.path, new FsError(lost.message, { ...lost, syscall: 'copy' }));
  });
}

async function copyLeaf(from: Place, to: Place, name: Buffer): Promise<void> {
  const leaf = new Leaf(from.directory, to.directory, settle({ accessTimes: true }, { verb: 'move' }));
  try {
    const [lost] = await leaf.copy(from.name, name, false);
    if (lost) await orNothing(to.directory, name, () => Promise.reject(notAllKept(from.path, to.path, lost)));
  } finally {
    leaf.end();
  }
}

/**
 * Removes what was made when the move fails, as the source stays.
 *
 * @param copy what was made, where by then another may have its name: that stays
 */
async function orNothing<T>(directory: DirectoryFd, made: Buffer, work: () => Promise<T>, copy?: Stat): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The first failure is the one to hear of.
    await removeMade(directory, made, copy).catch(() => {});
    throw error;
  }
}

async function removeMade(directory: DirectoryFd, made: Buffer, copy: Stat | undefined): Promise<void> {
  if (copy) {
    const { ino, dev } = await directory.stat(made);
    if (ino !== copy.ino || dev !== copy.dev) return;
  }
  await directory.removeTree(made, { force: true });
}
