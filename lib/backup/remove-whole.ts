/** Removal of what dirfd has copied itself: also of directories that keep out even their owner, who may always let himself in. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { FsError } from '../errors.js';
import { walk } from '../walk/walk.js';

const OPEN = 0o700;

/** Nothing happens where there is none. */
export async function removeWhole(directory: DirectoryFd, name: string): Promise<void> {
  for (;;) {
    try {
      await directory.removeTree(name, { force: true });
      return;
    } catch (error) {
      if (!(error instanceof FsError) || error.code !== 'EACCES' || !(await openUp(directory, name))) throw error;
    }
  }
}

/** @returns whether there was a directory to open; below it may be further ones, which only now can be seen */
async function openUp(directory: DirectoryFd, name: string): Promise<boolean> {
  const stat = await directory.stat(name);
  if (!stat.isDirectory()) return false;
  let opened = await openOne(directory, name, stat.mode);
  await using tree = await directory.openDirectory(name);
  for await (const { pathBytes, stat } of walk(tree, { kinds: ['directory'], onError: () => {} })) {
    opened = (await openOne(tree, pathBytes, stat.mode)) || opened;
  }
  return opened;
}

async function openOne(directory: DirectoryFd, path: string | Buffer, mode: number): Promise<boolean> {
  if ((mode & OPEN) === OPEN) return false;
  await directory.chmod(path, (mode & 0o7777) | OPEN);
  return true;
}
