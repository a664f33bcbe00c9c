/** A symlink in the place of another, in one step: there is no moment at which neither stands. */

import { randomBytes } from 'node:crypto';
import type { DirectoryFd } from '../dirfd/directory-fd.js';

export async function replaceSymlink(directory: DirectoryFd, name: Buffer, target: Buffer): Promise<void> {
  const temporary = `.dirfd-${randomBytes(16).toString('hex')}`;
  await directory.symlink(target, temporary);
  try {
    await directory.rename(temporary, name);
  } catch (error) {
    await directory.unlink(temporary).catch(() => {}); // The first failure is the one to tell.
    throw error;
  }
}
