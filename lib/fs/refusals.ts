/** What a copy is refused for, in the words of each of the two that dirfd/fs stands in for. */

import { constants } from 'node:os';
import { FsError, shownPath } from '../errors.js';

export type Reason =
  | 'same'
  | 'directoryOverOther'
  | 'otherOverDirectory'
  | 'intoItself'
  | 'notRecursive'
  | 'exists'
  | 'fifo'
  | 'socket'
  | 'device'
  | 'linkIntoItself'
  | 'linkAbove';

export type Refuse = (reason: Reason, src: Buffer, dest: Buffer) => FsError;

interface Wording {
  readonly code: string;
  readonly errno: keyof typeof constants.errno;
  readonly text: (src: string, dest: string) => string;
}

/** Node's codes, errnos and texts (lib/internal/fs/cp/cp.js). */
const NODE: Readonly<Record<Reason, Wording>> = {
  same: { code: 'ERR_FS_CP_EINVAL', errno: 'EINVAL', text: () => 'src and dest cannot be the same' },
  directoryOverOther: {
    code: 'ERR_FS_CP_DIR_TO_NON_DIR',
    errno: 'EISDIR',
    text: (src, dest) => `cannot overwrite non-directory ${dest} with directory ${src}`,
  },
  otherOverDirectory: {
    code: 'ERR_FS_CP_NON_DIR_TO_DIR',
    errno: 'ENOTDIR',
    text: (src, dest) => `cannot overwrite directory ${dest} with non-directory ${src}`,
  },
  intoItself: {
    code: 'ERR_FS_CP_EINVAL',
    errno: 'EINVAL',
    text: (src, dest) => `cannot copy ${src} to a subdirectory of self ${dest}`,
  },
  notRecursive: { code: 'ERR_FS_EISDIR', errno: 'EISDIR', text: (src) => `${src} is a directory (not copied)` },
  exists: { code: 'ERR_FS_CP_EEXIST', errno: 'EEXIST', text: (_, dest) => `${dest} already exists` },
  fifo: { code: 'ERR_FS_CP_FIFO_PIPE', errno: 'EINVAL', text: (_, dest) => `cannot copy a FIFO pipe: ${dest}` },
  socket: { code: 'ERR_FS_CP_SOCKET', errno: 'EINVAL', text: (_, dest) => `cannot copy a socket file: ${dest}` },
  device: { code: 'ERR_FS_CP_UNKNOWN', errno: 'EINVAL', text: (_, dest) => `cannot copy a device: ${dest}` },
  linkIntoItself: {
    code: 'ERR_FS_CP_EINVAL',
    errno: 'EINVAL',
    text: (src, dest) => `cannot copy ${src} to a subdirectory of self ${dest}`,
  },
  linkAbove: {
    code: 'ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY',
    errno: 'EINVAL',
    text: (src, dest) => `cannot overwrite ${dest} with ${src}`,
  },
};

export const refuseAsNode: Refuse = (reason, src, dest) => {
  const { code, errno, text } = NODE[reason];
  const message = `${code}: cp returned ${errno} (${text(src.toString(), dest.toString())})`;
  return failure(message, code, errno, reason === 'notRecursive' ? src : dest, 'cp');
};

/** fs-extra's errors have these texts and no code. */
const EXTRA: Readonly<Record<Reason, Wording['text']>> = {
  same: () => 'Source and destination must not be the same.',
  directoryOverOther: (src, dest) => `Cannot overwrite non-directory '${dest}' with directory '${src}'.`,
  otherOverDirectory: (src, dest) => `Cannot overwrite directory '${dest}' with non-directory '${src}'.`,
  intoItself: (src, dest) => `Cannot copy '${src}' to a subdirectory of itself, '${dest}'.`,
  notRecursive: (src) => `Cannot copy the directory '${src}'.`,
  exists: (_, dest) => `'${dest}' already exists`,
  fifo: (src) => `Cannot copy a FIFO pipe: ${src}`,
  socket: (src) => `Cannot copy a socket file: ${src}`,
  device: (src) => `Unknown file: ${src}`,
  linkIntoItself: (src, dest) => `Cannot copy '${src}' to a subdirectory of itself, '${dest}'.`,
  linkAbove: (src, dest) => `Cannot overwrite '${dest}' with '${src}'.`,
};

export const refuseAsExtra: Refuse = (reason, src, dest) =>
  failure(EXTRA[reason](src.toString(), dest.toString()), NODE[reason].errno, NODE[reason].errno, dest, 'copy');

export function refuseMove(reason: Reason, src: Buffer, dest: Buffer): FsError {
  const message = EXTRA[reason](src.toString(), dest.toString()).replace(/^Cannot copy/, 'Cannot move');
  return failure(message, NODE[reason].errno, NODE[reason].errno, dest, 'move');
}

export function alreadyExists(dest: Buffer): FsError {
  return failure('dest already exists.', 'EEXIST', 'EEXIST', dest, 'move');
}

function failure(message: string, code: string, errno: Wording['errno'], path: Buffer, syscall: string): FsError {
  const fields = { code, errno: -constants.errno[errno], syscall, path: path.toString(), pathBytes: path };
  return new FsError(message, fields);
}

/** Between file systems: the first of what the copy has not. */
export function notAllKept(src: Buffer, dest: Buffer, cause: FsError): FsError {
  const message = `${cause.code}: not all of the metadata can be kept, so it stays where it is, move '${shownPath(src)}' -> '${shownPath(dest)}': ${cause.message}`;
  return new FsError(message, {
    code: cause.code,
    syscall: 'move',
    path: src.toString(),
    pathBytes: src,
    dest: dest.toString(),
    cause,
  });
}
