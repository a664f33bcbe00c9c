/** From an entry back to what it stands for: the path is walked again from the pinned root, and what is found must be what was stat'ed. */

import { constants } from 'node:fs';
import type { DirectoryFd, OpenDirectoryOptions, OpenFileOptions } from '../dirfd/directory-fd.js';
import type { ReadlinkOptions } from '../dirfd/directory-names.js';
import { INTERNAL, type SignalOptions } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { toOpenFlags } from '../dirfd/flags.js';
import { type ErrorSubject, FsError, ownError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import type { SeenFile } from '../native/surface.js';
import type { WalkBatch } from './batch.js';

const { O_CREAT, O_EXCL, O_TRUNC } = constants;

/** Codes by which an open tells that something else has taken the entry's place, or the place of a directory on the way to it. */
const DIRECTORY_CHANGED = new Set(['ELOOP', 'ENOTDIR', 'ERR_DIRFD_PATH_ESCAPE']);
const FILE_CHANGED = new Set([...DIRECTORY_CHANGED, 'EISDIR', 'ERR_DIRFD_NOT_REGULAR']);

export async function openFileOf(
  batch: WalkBatch,
  index: number,
  options: OpenFileOptions | string | number,
): Promise<FileFd> {
  const subject = subjectOf(batch, index, 'open');
  const { flags = 'r', signal } = typeof options === 'object' ? options : { flags: options };
  const wanted = toOpenFlags(flags, subject);
  const isFile = batch.kind(index) === 'file';
  return await from(batch, async (root) => {
    const how = { flags: wanted & ~(O_CREAT | O_EXCL | O_TRUNC), signal };
    const path = batch.pathBytes(index);
    const opening = batch.context.follow ? root.openFileFollow(path, how) : root.openFile(path, how);
    const file = await opening.catch((error) => rethrow(error, isFile ? FILE_CHANGED : undefined, subject));
    await verify(file, seenFile(batch, index), subject);
    if (wanted & O_TRUNC) await file.truncate(0, { signal });
    return file;
  });
}

export async function openDirectoryOf(
  batch: WalkBatch,
  index: number,
  options: OpenDirectoryOptions,
): Promise<DirectoryFd> {
  const subject = subjectOf(batch, index, 'openDirectory');
  const isDirectory = batch.kind(index) === 'directory';
  // The handle that links are followed with is not the one whose policy is inherited.
  const { resolution, crossMounts } = batch.context.root;
  const how = { resolution, crossMounts, ...options };
  return await from(batch, async (root) => {
    const path = batch.pathBytes(index);
    const opening = batch.context.follow ? root.openDirectoryFollow(path, how) : root.openDirectory(path, how);
    const directory = await opening.catch((error) =>
      rethrow(error, isDirectory ? DIRECTORY_CHANGED : undefined, subject),
    );
    await verify(directory, seenFile(batch, index), subject);
    return directory;
  });
}

export async function readlinkOf(
  batch: WalkBatch,
  index: number,
  { encoding, signal }: ReadlinkOptions & SignalOptions,
): Promise<string | Buffer> {
  const subject = subjectOf(batch, index, 'readlink');
  signal?.throwIfAborted();
  const seen = seenFile(batch, index);
  const { handle, hold } = batch.context.root[INTERNAL];
  const release = hold(subject);
  try {
    const target = await native.readlinkOf(handle, batch.pathBytes(index), batch.context.follow, ...seen);
    return (encoding ?? (batch.context.buffers ? 'buffer' : 'utf8')) === 'buffer' ? target : target.toString('utf8');
  } catch (thrown) {
    const error = toFsError(thrown, native.callNames, subject);
    return rethrow(error, batch.kind(index) === 'symlink' ? FILE_CHANGED : undefined, subject);
  } finally {
    release();
  }
}

/** Runs with the root of the walk; where links were followed, with a handle of it that follows them, beneath. */
async function from<T>(batch: WalkBatch, use: (root: DirectoryFd) => Promise<T>): Promise<T> {
  const { root, follow } = batch.context;
  if (!follow || root.resolution !== 'no-symlinks') return await use(root);
  await using beneath = await root.openDirectory('.', { resolution: 'beneath' });
  return await use(beneath);
}

async function verify(opened: FileFd | DirectoryFd, seen: SeenFile, subject: ErrorSubject): Promise<void> {
  try {
    await native.requireSameFile(opened[INTERNAL].handle, ...seen);
  } catch (thrown) {
    await opened.close();
    throw toFsError(thrown, native.callNames, subject);
  }
}

function seenFile(batch: WalkBatch, index: number): SeenFile {
  const { mountId, dev, ino, birthtimeNs } = batch.stat(index);
  return [BigInt.asIntN(64, mountId || dev), BigInt.asIntN(64, ino), birthtimeNs];
}

function rethrow(error: unknown, meaningChanged: ReadonlySet<string> | undefined, subject: ErrorSubject): never {
  if (error instanceof FsError && meaningChanged?.has(error.code)) throw changed(subject, error);
  throw error;
}

function changed(subject: ErrorSubject, cause?: unknown): FsError {
  return ownError('ERR_DIRFD_CHANGED', 'the entry is no longer the one that was looked at', subject, cause);
}

function subjectOf(batch: WalkBatch, index: number, verb: string): ErrorSubject {
  const path = batch.context.buffers ? batch.pathBytes(index) : batch.path(index);
  return { verb, directory: batch.context.root.path, path };
}
