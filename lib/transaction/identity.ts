/**
 * What an entry is, beyond its name. Inode and time of birth tell one file from another, also after the inode number has been used again;
 * size, times and SHA-256 tell whether its content has changed. Of a tree, one fingerprint stands for all that lies below.
 */

import { createHash } from 'node:crypto';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import type { Kind } from '../dirfd/kind.js';
import type { Stat } from '../dirfd/stat.js';
import { walk } from '../walk/walk.js';

/** JSON throughout: 64-bit numbers are decimal text. */
export interface Identity {
  readonly kind: Kind;
  readonly ino: string;
  readonly birth: string;
  readonly size: number;
  readonly mtime: string;
  readonly ctime: string;
  readonly mode: number;
  /** Of a regular file's content, in hexadecimal; absent where it does not matter. */
  readonly sha256?: string | undefined;
  /** Of a directory: {@link fingerprintOf} what it holds. */
  readonly tree?: string | undefined;
}

export function identityOf(stat: Stat): Identity {
  const { kind, ino, birthtimeNs, size, mtimeNs, ctimeNs, mode } = stat;
  const [birth, mtime, ctime] = [String(birthtimeNs), String(mtimeNs), String(ctimeNs)];
  return { kind, ino: String(ino), birth, size, mtime, ctime, mode: mode & 0o7777 };
}

/** Whether it is the same inode, whatever has become of its content. */
export function isSame(stat: Stat | undefined, identity: Identity): stat is Stat {
  return stat !== undefined && String(stat.ino) === identity.ino && String(stat.birthtimeNs) === identity.birth;
}

/** Whether the content is the same as far as its size and its modification time tell. A rename changes neither, and ctime on most. */
export function hasSameContent(stat: Stat, { kind, size, mtime }: Identity): boolean {
  return kind !== 'file' || (stat.size === size && String(stat.mtimeNs) === mtime);
}

/** Whether nobody has touched it at all: ctime cannot be set. What directories hold is asked of {@link fingerprintOf}. */
export function isUntouched(stat: Stat | undefined, identity: Identity): boolean {
  if (!isSame(stat, identity)) return false;
  return identity.kind === 'directory' || String(stat.ctimeNs) === identity.ctime;
}

/** Bytes of the first read, and of the largest: a megabyte for every small file would keep the garbage collector busy with nothing else. */
const [SMALL, LARGE] = [16 * 1024, 1024 * 1024];

/** SHA-256 of a file from its first byte to its last. */
export async function sha256Of(file: FileFd): Promise<string> {
  const hash = createHash('sha256');
  let buffer = Buffer.allocUnsafe(SMALL);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, { position });
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
    if (bytesRead === buffer.length && bytesRead === SMALL) buffer = Buffer.allocUnsafe(LARGE);
  }
}

/**
 * One hash over the names, inodes, sizes and times of all that lies in a directory, its own times left out: it is the same after the
 * directory has been renamed, and another one after any change of a file below.
 *
 * @param without whether an entry, and what lies below it, is to be left out
 */
export async function fingerprintOf(
  directory: DirectoryFd,
  without: (path: string) => boolean = () => false,
): Promise<string> {
  const hash = createHash('sha256');
  const batches = walk(directory, {
    order: 'sorted',
    encoding: 'buffer',
    filter: (entry) => (without(entry.pathBytes.toString('latin1')) ? 'prune' : 'include'),
  });
  for await (const { pathBytes, kind, stat } of batches) {
    hash.update(pathBytes).update(`\0${kind} ${stat.ino} ${stat.birthtimeNs}`);
    if (kind !== 'directory') hash.update(` ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`);
    hash.update('\0');
  }
  return hash.digest('hex');
}

/** {@link fingerprintOf} a directory by its name. */
export async function treeIn(directory: DirectoryFd, name: string | Buffer): Promise<string> {
  await using tree = await directory.openDirectory(name);
  return await fingerprintOf(tree);
}

/** {@link sha256Of} a file by its name. */
export async function contentOf(directory: DirectoryFd, name: Buffer): Promise<string> {
  await using file = await directory.openFile(name);
  return await sha256Of(file);
}
