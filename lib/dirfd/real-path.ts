/** Where a held directory lies now, by the kernel: a handle's label says how somebody came to it, maybe from another working directory. */

import { type ErrorSubject, FsError } from '../errors.js';
import { DirectoryFd } from './directory-fd.js';
import { INTERNAL } from './fd.js';

/** @returns undefined without /proc, and for what lies outside of this process's root ("(unreachable)…", proc_pid_fd(5)) */
export async function realPathOf(directory: DirectoryFd, subject: ErrorSubject): Promise<Buffer | undefined> {
  // The number stands for this directory only while it is open.
  const release = directory[INTERNAL].hold(subject);
  try {
    await using descriptors = await DirectoryFd.open('/proc/self/fd');
    const path = await descriptors.readlink(String(directory.unsafeFd()), { encoding: 'buffer' });
    return path[0] === '/'.charCodeAt(0) ? path : undefined;
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    return undefined;
  } finally {
    release();
  }
}
