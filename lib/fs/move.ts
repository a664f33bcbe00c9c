/** move(), as fs-extra has it; between file systems nothing is lost. */

import { copyTree } from '../copy/job.js';
import { settle } from '../copy/options.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { isInside } from '../dirfd/inside.js';
import type { Stat } from '../dirfd/stat.js';
import { FsError, ownError } from '../errors.js';
import { Leaf } from './leaf.js';
import { lookAt, makeParents, openDestination, openPlace, type PathLike, type Place } from './place.js';
import { alreadyExists, notAllKept, refuseMove } from './refusals.js';
import { privateName, renameNew, replaceDirectory } from './replace-directory.js';

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
    if (!(error instanceof FsError) || error.code !== 'EXDEV') throw error;
    return 'otherFileSystem' as const;
  });
  if (replaced !== 'otherFileSystem') return await removeReplaced(replaced);
  if (!present && (await lookAt(to.directory, to.name))) throw alreadyExists(to.path);
  await moveAcross(from, stat, to, present);
}

/** @returns where the directory is that has given way, if one has */
async function renameTo(from: Place, to: Place, present: Stat | undefined): Promise<Place | undefined> {
  if (present?.isDirectory()) return await replaceDirectory(from, to, present);
  if (present) await from.directory.rename(from.name, to.directory, to.name);
  else await renameNew(from, to);
  return undefined;
}

async function removeReplaced(replaced: Place | undefined): Promise<void> {
  await replaced?.directory.removeTree(replaced.name);
}

/** The copy has the destination's name when it is complete, and the source is removed when the copy has that name. */
async function moveAcross(from: Place, stat: Stat, to: Place, present: Stat | undefined): Promise<void> {
  const beside = { ...to, name: privateName() };
  const copy = stat.isDirectory() ? await copyDirectory(from, beside) : await copyLeaf(from, stat, beside);
  await removeReplaced(await orNothing(beside, copy, () => renameTo(beside, to, present)));
  await removeMoved(from, stat, to);
}

/**
 * Removes what has been copied, and nothing else: it is compared with its copy under a name that nobody knows. Where the two differ, or it does
 * not go, it has its own name again, and the copy stays.
 */
async function removeMoved(from: Place, stat: Stat, to: Place): Promise<void> {
  const aside = { ...from, name: privateName() };
  await from.directory.rename(from.name, from.directory, aside.name);
  try {
    if (!(await isUnchanged(aside, stat, to))) {
      const why = 'the source was changed or replaced while it was copied; it stays, beside its copy';
      throw ownError('ERR_DIRFD_CHANGED', why, { verb: 'move', path: from.path });
    }
    await from.directory.removeTree(aside.name);
  } catch (error) {
    await renameNew(aside, from).catch(() => {
      const why = `the source stays, by the name of ${aside.name} in its directory`;
      throw ownError('ERR_DIRFD_CHANGED', why, { verb: 'move', path: from.path }, error);
    });
    throw error;
  }
}

/** As a second copy would see it: it is the same, and nothing in it is new or has another size or time. */
async function isUnchanged(aside: Place, seen: Stat, to: Place): Promise<boolean> {
  const now = await aside.directory.stat(aside.name);
  if (now.ino !== seen.ino || now.dev !== seen.dev) return false;
  if (!seen.isDirectory()) return now.size === seen.size && now.mtimeNs === seen.mtimeNs;
  await using source = await aside.directory.openDirectory(aside.name);
  await using copy = await to.directory.openDirectory(to.name);
  const { files, directories, symlinks, specials, hardLinks, updated, errorCount, vanishedCount } = await copyTree(
    source,
    copy,
    { update: true, dryRun: true },
  );
  return [files, directories, symlinks, specials, hardLinks, updated, errorCount, vanishedCount].every((n) => n === 0);
}

/** @returns what was made */
async function copyDirectory(from: Place, to: Place): Promise<Stat> {
  await using source = await from.directory.openDirectory(from.name);
  await to.directory.mkdir(to.name, { mode: 0o700 });
  await using destination = await to.directory.openDirectory(to.name);
  const made = await destination.stat('.');
  await orNothing(to, made, async () => {
    const { notKept } = await copyTree(source, destination, { accessTimes: true });
    const [lost] = notKept;
    if (lost) throw notAllKept(from.path, to.path, new FsError(lost.message, { ...lost, syscall: 'copy' }));
  });
  return made;
}

/** @returns what was made */
async function copyLeaf(from: Place, stat: Stat, to: Place): Promise<Stat> {
  const leaf = new Leaf(from.directory, to.directory, settle({ accessTimes: true }, { verb: 'move' }));
  try {
    const [lost] = await leaf.copy(from.name, stat, to.name, false);
    const made = await to.directory.stat(to.name);
    if (lost) await orNothing(to, made, () => Promise.reject(notAllKept(from.path, to.path, lost)));
    return made;
  } finally {
    leaf.end();
  }
}

/** Removes what was made when the move fails, as the source stays; another that has got its name by then stays. */
async function orNothing<T>(place: Place, made: Stat, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The first failure is the one to hear of.
    await removeMade(place, made).catch(() => {});
    throw error;
  }
}

async function removeMade({ directory, name }: Place, made: Stat): Promise<void> {
  const { ino, dev } = await directory.stat(name);
  if (ino === made.ino && dev === made.dev) await directory.removeTree(name, { force: true });
}
