/**
 * Files that are in every respect as in the version before become further names of them. Compared, not believed: bytes, owner, mode, times,
 * xattrs; a file that differs in anything stays one of its own.
 */

import { diffTree, verifyTree } from '../copy/verify.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import { FsError } from '../errors.js';
import { walk } from '../walk/walk.js';

/** What a file system says that has no hard links, or no more of them for this file. */
const CANNOT_LINK = new Set(['EMLINK', 'EPERM', 'EXDEV', 'ENOTSUP']);

/** Differences that keep what lies below an entry from being compared. */
const WHOLE: ReadonlySet<string> = new Set(['missing', 'extra', 'kind']);

/** @returns the paths of the files that are shared, one byte a character */
export async function shareUnchanged(
  before: DirectoryFd,
  now: DirectoryFd,
  { signal, quick }: SignalOptions & { readonly quick: boolean },
): Promise<ReadonlySet<string>> {
  const different = new Set<string>();
  /** Where one side has no directory: what lies below is not told one by one. */
  const apart = new Set<string>();
  const comparison = (quick ? diffTree : verifyTree)(before, now, { signal });
  for await (const event of comparison) {
    const path = event.pathBytes.toString('latin1');
    different.add(path);
    if (event.type === 'error' || WHOLE.has(event.field)) apart.add(path);
  }
  await comparison;
  const shared = new Set<string>();
  const times = new Map<string, { readonly atime: bigint; readonly mtime: bigint }>();
  for await (const { pathBytes, stat } of walk(now, { kinds: ['file'], signal })) {
    const path = pathBytes.toString('latin1');
    if (stat.nlink > 1 || different.has(path) || isBelow(pathBytes, apart)) continue;
    const parent = parentOf(pathBytes);
    if (!times.has(parent)) {
      const { atimeNs, mtimeNs } = await now.stat(Buffer.from(parent, 'latin1'));
      times.set(parent, { atime: atimeNs, mtime: mtimeNs });
    }
    if (await becomeLink(before, now, pathBytes)) shared.add(path);
  }
  // The names have changed the directories' times, which are part of what is kept.
  for (const [path, { atime, mtime }] of times) await now.utimes(Buffer.from(path, 'latin1'), atime, mtime);
  return shared;
}

async function becomeLink(before: DirectoryFd, now: DirectoryFd, path: Buffer): Promise<boolean> {
  const temporary = Buffer.concat([Buffer.from(parentOf(path), 'latin1'), Buffer.from('/.dirfd-sharing')]);
  try {
    await before.link(path, now, temporary);
  } catch (error) {
    if (error instanceof FsError && (CANNOT_LINK.has(error.code) || error.code === 'EEXIST')) return false;
    throw error;
  }
  await now.rename(temporary, path);
  return true;
}

function isBelow(path: Buffer, roots: ReadonlySet<string>): boolean {
  const text = path.toString('latin1');
  for (let slash = text.indexOf('/'); slash >= 0; slash = text.indexOf('/', slash + 1)) {
    if (roots.has(text.slice(0, slash))) return true;
  }
  return false;
}

function parentOf(path: Buffer): string {
  const text = path.toString('latin1');
  const slash = text.lastIndexOf('/');
  return slash < 0 ? '.' : text.slice(0, slash);
}
