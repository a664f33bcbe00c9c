/** From the caller's paths to names in held directories. Each path is resolved once; from then on only the directory is used. */

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DirectoryFd } from '../dirfd/directory-fd.js';
import type { Stat } from '../dirfd/stat.js';
import { unless } from '../dirfd/unless.js';

export type PathLike = string | Uint8Array | URL;

/** An entry, there or not: one name in a held directory. */
export interface Place {
  readonly directory: DirectoryFd;
  readonly name: Buffer;
  /** What the caller calls it: for filters and messages, never opened. */
  readonly path: Buffer;
}

/** Where something is to be made: the nearest directory above it that is there, and the directories that are not. */
export interface Destination {
  readonly nearest: DirectoryFd;
  readonly missing: readonly Buffer[];
  readonly name: Buffer;
  readonly path: Buffer;
}

/** A character a byte, so that node:path leaves every byte alone. */
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytesOf = (latin1: string): Buffer => Buffer.from(latin1, 'latin1');

export function toBytes(given: PathLike): Buffer {
  return Buffer.from(given instanceof URL ? fileURLToPath(given) : (given as string));
}

/** As path.resolve, over bytes. */
export function resolvePath(from: Buffer, to: Uint8Array): Buffer {
  return bytesOf(path.resolve(text(Buffer.from(process.cwd())), text(from), text(to)));
}

export function joinBytes(directory: Buffer, name: Buffer): Buffer {
  return bytesOf(path.join(text(directory), text(name)));
}

/** Whether a path is another, or below it, as far as text tells. */
export function isBelow(above: Buffer, below: Buffer): boolean {
  const prefix = text(above) === '/' ? '/' : `${text(above)}/`;
  return above.equals(below) || text(below).startsWith(prefix);
}

/** @throws FsError ENOENT where the directory that holds it is not there */
export async function openPlace(given: PathLike): Promise<Place> {
  const { above, name, path } = split(toBytes(given));
  return { directory: await DirectoryFd.open(above), name, path };
}

export async function openDestination(given: PathLike): Promise<Destination> {
  const { above, name, path: bytes } = split(toBytes(given));
  const missing: Buffer[] = [];
  for (let at = text(above); ; ) {
    const nearest = await unless('ENOENT', DirectoryFd.open(bytesOf(at)));
    if (nearest) return { nearest, missing, name, path: bytes };
    at = text(resolvePath(bytesOf(at), Buffer.from('.')));
    missing.unshift(bytesOf(path.basename(at)));
    at = path.dirname(at);
  }
}

/** Makes the missing directories, below the one that is held. The place's directory is the caller's to close. */
export async function makeParents({ nearest, missing, name, path }: Destination, mode = 0o777): Promise<Place> {
  if (missing.length === 0) return { directory: nearest, name, path };
  const below = bytesOf(missing.map(text).join('/'));
  await nearest.mkdir(below, { recursive: true, mode });
  const directory = await nearest.openDirectory(below);
  await nearest.close();
  return { directory, name, path };
}

/** What is there, if anything; of a symlink, the link. */
export function lookAt(directory: DirectoryFd, name: Buffer): Promise<Stat | undefined> {
  return unless('ENOENT', directory.stat(name));
}

function split(given: Buffer): { readonly above: Buffer; readonly name: Buffer; readonly path: Buffer } {
  let at = text(given).replace(/(?<=.)\/+$/, '');
  // A path that ends so has no name of its own in the directory that it seems to lie in.
  if (/(^|\/)\.{0,2}$/.test(at) && given.length > 0) at = text(resolvePath(bytesOf(at), Buffer.from('.')));
  const slash = at.lastIndexOf('/');
  const above = slash < 0 ? '.' : at.slice(0, slash + 1);
  return { above: bytesOf(above), name: bytesOf(at.slice(slash + 1) || '.'), path: given };
}
