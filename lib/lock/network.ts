/**
 * File systems on which a lock may be unknown to the other machines, or be lost with a connection. NFS, SMB and the like hand locks to a
 * server that may forget them; of FUSE nobody but its program knows whether it hands them on at all.
 */

import { INTERNAL } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { type ErrorSubject, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import { LockError, operationError } from '../operation-errors.js';

/** statfs(2)'s f_type. Cluster file systems are among them: whether locks reach the other nodes depends on how they are mounted. */
const NAMES = new Map<number, string>([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x01021997, '9p'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0x7461636f, 'OCFS2'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x786f4256, 'VirtualBox shared folder'],
  [0xbacbacbc, 'VMware shared folder'],
  [0x65735546, 'FUSE'],
]);

/** The name of the file system's type where locks on it cannot be relied on. */
export function unreliableFileSystem(type: number): string | undefined {
  return NAMES.get(type >>> 0);
}

/** @throws LockError where the file lies on such a file system */
export function refuseNetwork(file: FileFd, subject: ErrorSubject): void {
  const name = unreliableFileSystem(typeOfFileSystem(file, subject));
  if (name === undefined) return;
  const why = `locks on ${name} may be unknown to other machines, or be lost; allowNetwork: true takes the risk`;
  throw operationError(LockError, 'ERR_DIRFD_LOCK', why, subject);
}

function typeOfFileSystem(file: FileFd, subject: ErrorSubject): number {
  try {
    return native.statfsSync(file[INTERNAL].handle).type;
  } catch (thrown) {
    throw toFsError(thrown, native.callNames, subject);
  }
}
