/** How new entries come into a transaction's own directory. Each function makes one under `slot`, and leaves nothing where it fails. */

import { createHash } from 'node:crypto';
import { copyTree } from '../copy/job.js';
import type { NotKept } from '../copy/report.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { INTERNAL } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { type ErrorSubject, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import { DURABILITIES, KEEP } from '../native/replace.js';
import { carryOver } from './carry-over.js';
import { sha256Of } from './identity.js';
import { toBytes } from './names.js';
import type { Participant } from './participant.js';

/** Something that can be read: below a root, or staged already. */
export interface Source {
  readonly base: DirectoryFd;
  readonly path: string;
}

export interface NewFile {
  /** Exact permission bits; undefined: those of `like`, or what the umask leaves of 0o666. */
  readonly mode: number | undefined;
  /** Whose owner, attributes and mode it takes over. */
  readonly like: Source | undefined;
}

/** Whole, or in pieces of any size. */
export type Bytes = Uint8Array | AsyncIterable<Uint8Array>;

/** @param path a slot, or a name in a staged directory */
export async function stageFile(
  { work }: Participant,
  path: string,
  content: Bytes,
  { mode, like }: NewFile,
): Promise<{ sha256: string; size: number }> {
  const slot = toBytes(path);
  if (content instanceof Uint8Array && like === undefined) {
    await makeWhole(work, slot, content, mode);
    return { sha256: createHash('sha256').update(content).digest('hex'), size: content.length };
  }
  return orNothing(work, slot, async () => {
    // Nobody else can reach it here, so a new file may have what the umask leaves of its mode at once.
    await using file = await work.openFile(slot, { flags: 'wx', mode: like || mode !== undefined ? 0o600 : 0o666 });
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of content instanceof Uint8Array ? [content] : content) {
      hash.update(chunk);
      size += chunk.length;
      await file.writeFile(chunk);
    }
    if (like) {
      await using replaced = await like.base.openFile(toBytes(like.path));
      await carryOver(replaced, file, 'new');
    }
    if (mode !== undefined) await file.chmod(mode);
    return { sha256: hash.digest('hex'), size };
  });
}

/** One call instead of four; it is synced with all the others. */
async function makeWhole(
  work: DirectoryFd,
  slot: Buffer,
  content: Uint8Array,
  mode: number | undefined,
): Promise<void> {
  const subject: ErrorSubject = { verb: 'stage', directory: work.path, path: slot };
  const { handle, hold } = work[INTERNAL];
  const release = hold(subject);
  try {
    await native.replaceFile(handle, slot, content, ...NEW_FILE, mode ?? -1, ...NOTHING_TO_KEEP);
  } catch (thrown) {
    throw toFsError(thrown, native.callNames, subject);
  } finally {
    release();
  }
}

/** The order of NativeReplaceOptions. */
const NEW_FILE = [DURABILITIES.indexOf('none'), KEEP.nothing, true, false, false] as const;
const NOTHING_TO_KEEP = ['', false, -1] as const;

export async function stageCopy({ work }: Participant, slot: string, { base, path }: Source): Promise<string> {
  return orNothing(work, slot, async () => {
    await using from = await base.openFile(toBytes(path));
    await using to = await work.openFile(slot, { flags: 'wx+', mode: 0o600 });
    await copyContent(from, to);
    await carryOver(from, to, 'same');
    return await sha256Of(to);
  });
}

/** @returns what could not be kept */
export async function stageTree(
  { work }: Participant,
  slot: string,
  { base, path }: Source,
): Promise<readonly NotKept[]> {
  return orNothing(work, slot, async () => {
    await using from = await base.openDirectory(toBytes(path));
    await work.mkdir(slot, { mode: 0o700 });
    await using to = await work.openDirectory(slot);
    return (await copyTree(from, to)).notKept;
  });
}

/** A directory with the metadata of another one, and empty. @returns its mode */
export async function stageDirectoryLike({ work }: Participant, slot: string, { base, path }: Source): Promise<number> {
  return orNothing(work, slot, async () => {
    await using from = await base.openDirectory(toBytes(path));
    await work.mkdir(slot, { mode: 0o700 });
    await using to = await work.openDirectory(slot);
    await copyTree(from, to, { filter: () => 'prune' });
    return (await from.stat()).mode & 0o7777;
  });
}

export async function stageSymlink({ work }: Participant, slot: string, target: string | Uint8Array): Promise<void> {
  await work.symlink(target, slot);
}

/** Extents are shared where the file system can; else the kernel copies. */
async function copyContent(from: FileFd, to: FileFd): Promise<void> {
  try {
    await from.clone(to);
    return;
  } catch {
    // Not on this file system, or not for this file: what is wrong with the file itself, the copy tells.
  }
  for (let offset = 0; ; ) {
    const copied = await from.copyRange(to, 64 * 1024 * 1024, { offset, destinationOffset: offset });
    if (copied === 0) return;
    offset += copied;
  }
}

async function orNothing<T>(work: DirectoryFd, slot: string | Buffer, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    await work.removeTree(slot, { force: true }).catch(() => {});
    throw error;
  }
}
