/** Removal of what is the caller's to remove: also of directories that keep out even their owner, who may always let himself in. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { unless } from '../dirfd/unless.js';
import { FsError } from '../errors.js';
import { walk } from '../walk/walk.js';
import { plainPath } from './part.js';

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

/** The same; that nothing is there is on the disk when the promise resolves, also where an earlier attempt has removed it. */
export async function removeDurably(directory: DirectoryFd, path: string): Promise<void> {
  await removeWhole(directory, path);
  const plain = Buffer.from(plainPath(path), 'latin1');
  const slash = plain.lastIndexOf('/');
  const above = await unless('ENOENT', directory.openDirectory(slash < 0 ? '.' : plain.subarray(0, slash)));
  if (above === undefined) return;
  await using _above = above;
  await above.sync();
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
