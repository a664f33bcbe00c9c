/** What a version holds besides the content of its files: directories, symlinks and where they lead, modes. As it is stored, held against what it was. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { Kind } from '../dirfd/kind.js';
import { walk } from '../walk/walk.js';
import type { Manifest } from './manifest.js';
import { WHOLE } from './part.js';

/** An entry of a version. */
export interface VersionEntry {
  /** From the content; `pathBytes`, base64, where it is not UTF-8. */
  readonly path: string;
  readonly pathBytes?: string;
  readonly kind: Kind;
  /** Permission bits; absent for symlinks, which have none. */
  readonly mode?: number;
  /** Where a symlink leads to, in base64. */
  readonly target?: string;
}

/** What is not as it was: not told of are the contents of regular files, and which of them there are. */
export interface EntryFault {
  readonly path: string;
  readonly why: 'missing' | 'changed' | 'extra';
}

/** All below the directory, in the order of their paths. */
export async function entriesIn(content: DirectoryFd, { signal }: SignalOptions): Promise<VersionEntry[]> {
  const found: VersionEntry[] = [];
  for await (const entry of walk(content, { order: 'sorted', signal })) {
    const { path, pathBytes, kind, stat } = entry;
    const exact = Buffer.from(path).equals(pathBytes) ? {} : { pathBytes: pathBytes.toString('base64') };
    const isLink = kind === 'symlink';
    const target = isLink ? ((await entry.readlink({ encoding: 'buffer' })) as unknown as Buffer) : undefined;
    const more = target ? { target: target.toString('base64') } : { mode: stat.mode & 0o7777 };
    found.push({ path, ...exact, kind, ...more });
  }
  return found;
}

/** Of a version's top, or any directory in it. */
export async function modeOf(directory: DirectoryFd): Promise<number> {
  return (await directory.stat('.')).mode & 0o7777;
}

/** @param part a directory of the version, one byte a character */
export async function entryFaults(
  content: DirectoryFd,
  { files, entries, mode }: Manifest,
  part: string,
  options: SignalOptions,
): Promise<EntryFault[]> {
  if (!entries) return [];
  const above = part === WHOLE ? '' : `${part}/`;
  await using tree = await content.openDirectory(Buffer.from(part, 'latin1'));
  const faults: EntryFault[] = [];
  const known = [...entries, ...files.map((file): VersionEntry => ({ ...file, kind: 'file' }))];
  const before = new Map(known.map((entry) => [keyOf(entry), entry]));
  const top = part === WHOLE ? mode : before.get(part)?.mode;
  if (top !== undefined && top !== (await modeOf(tree))) {
    faults.push({ path: Buffer.from(part, 'latin1').toString('utf8'), why: 'changed' });
  }
  for (const now of await entriesIn(tree, options)) {
    const key = above + keyOf(now);
    const then = before.get(key);
    before.delete(key);
    const path = Buffer.from(key, 'latin1').toString('utf8');
    // Another kind than a file's was: the files tell, as they tell of files that nobody knows.
    if (then?.kind === 'file' && now.kind !== 'file') continue;
    if (!then) {
      if (now.kind !== 'file') faults.push({ path, why: 'extra' });
    } else if (then.kind !== now.kind || then.mode !== now.mode || then.target !== now.target) {
      faults.push({ path, why: 'changed' });
    }
  }
  for (const [key, { path, kind }] of before) {
    if (key.startsWith(above) && kind !== 'file') faults.push({ path, why: 'missing' });
  }
  return faults;
}

function keyOf({ path, pathBytes }: VersionEntry): string {
  return (pathBytes === undefined ? Buffer.from(path) : Buffer.from(pathBytes, 'base64')).toString('latin1');
}
