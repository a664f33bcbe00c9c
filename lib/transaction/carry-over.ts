/** What a new file takes over from the one that it replaces or copies: owner, extended attributes, ACLs, mode, times. */

import type { FileFd } from '../dirfd/file-fd.js';
import type { Stat } from '../dirfd/stat.js';
import { FsError } from '../errors.js';

const ACL = 'system.posix_acl_access';

/** Bound to content, or made by the kernel for every file of its own. */
const NEVER_WITH_NEW_CONTENT = ['security.capability', 'security.ima', 'security.evm'];

/**
 * Owner before mode and attributes, because chown(2) clears set-user-id bits and capabilities.
 *
 * @param content whether the content is the same too: then times and capabilities belong to it
 */
export async function carryOver(from: FileFd, to: FileFd, content: 'same' | 'new'): Promise<Stat> {
  const [before, made] = await Promise.all([from.stat(), to.stat()]);
  let mode = before.mode & 0o7777;
  if (before.uid !== made.uid || before.gid !== made.gid) {
    // An ordinary user's file stays that user's, but must not run as somebody else.
    if (!(await done(to.chown(before.uid, before.gid), ['EPERM']))) mode &= 0o1777;
  }
  const attributes = await listed(from);
  // A directory's default ACL has given the new file one: without it the mode alone counts again (acl(5)).
  if (!attributes.includes(ACL)) await done(to.removexattr(ACL), ['ENODATA', 'ENOTSUP']);
  for (const attribute of attributes) {
    if (content === 'new' && NEVER_WITH_NEW_CONTENT.includes(attribute)) continue;
    const set = async () => to.setxattr(attribute, await from.getxattr(attribute));
    // What only root or a security module may set is theirs to set. What users and ACLs have set is never lost unsaid.
    const ignored = /^(user|system)\./.test(attribute) ? ['ENODATA'] : ['ENODATA', 'ENOTSUP', 'EPERM', 'EACCES'];
    await done(set(), ignored);
  }
  await to.chmod(mode);
  if (content === 'same') await to.utimes(before.atimeNs, before.mtimeNs);
  return before;
}

async function listed(file: FileFd): Promise<string[]> {
  try {
    return await file.listxattr();
  } catch (error) {
    if (error instanceof FsError && error.code === 'ENOTSUP') return [];
    throw error;
  }
}

async function done(work: Promise<unknown>, ignored: readonly string[]): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof FsError && ignored.includes(error.code)) return false;
    throw error;
  }
}
