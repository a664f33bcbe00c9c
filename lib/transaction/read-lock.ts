/** For readers who must not see a transaction half done. */

import { closeAll } from '../dirfd/close-all.js';
import { lockSettled } from './recover.js';
import { Site, type TransactionRoot, unlockAll, type WaitOptions } from './site.js';

/**
 * Runs `read` while no transaction changes anything below these roots: commits wait until it ends, and what a crash has left is settled
 * first. Readers do not keep each other out. Who commits to one of the roots inside of `read` waits for itself.
 *
 * @throws LockTimeoutError
 */
export async function withReadLock<T>(
  roots: TransactionRoot | readonly TransactionRoot[],
  read: () => Promise<T> | T,
  options: WaitOptions = {},
): Promise<T> {
  const places = Array.isArray(roots) ? (roots as readonly TransactionRoot[]) : [roots as TransactionRoot];
  const sites: Site[] = [];
  try {
    for (const place of places) sites.push((await Site.open(place, { create: true })) as Site);
    const locks = await lockSettled(sites, true, options);
    try {
      return await read();
    } finally {
      await unlockAll(locks);
    }
  } finally {
    await closeAll(sites);
  }
}
