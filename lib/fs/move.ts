/** move(), as fs-extra has it; between file systems nothing is lost. */

import { randomBytes } from 'node:crypto';
import { copyTree } from '../copy/job.js';
import { settle } from '../copy/options.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { isInside } from '../dirfd/inside.js';
import type { Stat } from '../dirfd/stat.js';
import { FsError } from '../errors.js';
import { Leaf } from './leaf.js';
import { lookAt, makeParents, openDestination, openPlace, type PathLike, type Place } from './place.js';
import { alreadyExists, notAllKept, refuseMove } from './refusals.js';

export interface MoveOptions {
  /** Remove what stands at the destination first. Default false: it is an error, `dest already exists.` */
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

/** @param present what is to be overwritten, if anything is */
async function moveTo(from: Place, stat: Stat, to: Place, present: Stat | undefined): Promise<void> {
  // A directory gives way only when it is empty (rename(2)). Anything else does in one step.
  if (present?.isDirectory()) await to.directory.removeTree(to.name, { force: true });
  const noReplace = present === undefined || present.isDirectory();
  try {
    await from.directory.rename(from.name, to.directory, to.name, { noReplace });
  } catch (error) {
    const code = error instanceof FsError ? error.code : undefined;
    if (code === 'EEXIST') throw alreadyExists(to.path);
    if (code !== 'EXDEV') throw error;
    if (noReplace && (await lookAt(to.directory, to.name))) throw alreadyExists(to.path);
    await moveAcross(from, stat, to, !noReplace);
  }
}

/** The source is removed when all of it has arrived. */
async function moveAcross(from: Place, stat: Stat, to: Place, replace: boolean): Promise<void> {
  if (stat.isDirectory()) await copyDirectory(from, to);
  else if (replace) await copyOver(from, to);
  else await copyLeaf(from, to, to.name);
  await from.directory.removeTree(from.name);
}

async function copyDirectory(from: Place, to: Place): Promise<void> {
  await using source = await from.directory.openDirectory(from.name);
  await to.directory.mkdir(to.name, { mode: 0o700 });
  await orNothing(to.directory, to.name, async () => {
    await using destination = await to.directory.openDirectory(to.name);
    const { notKept } = await copyTree(source, destination, { accessTimes: true });
    const [lost] = notKept;
    if (lost) throw notAllKept(from.path, to.path, new FsError(lost.message, { ...lost, syscall: 'copy' }));
  });
}

/** What is to be replaced stays until all of the copy is there. */
async function copyOver(from: Place, to: Place): Promise<void> {
  const beside = Buffer.from(`.dirfd-moving-${randomBytes(8).toString('hex')}`);
  await copyLeaf(from, to, beside);
  await orNothing(to.directory, beside, () => to.directory.rename(beside, to.directory, to.name));
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

/** Removes what was made when the move fails, as the source stays. */
async function orNothing(directory: DirectoryFd, made: Buffer, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    // The first failure is the one to hear of.
    await directory.removeTree(made, { force: true }).catch(() => {});
    throw error;
  }
}
