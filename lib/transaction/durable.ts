/** When a whole file system is synced instead of one file or directory after the other. */

import { release } from 'node:os';

/**
 * Up to so many entries are synced one by one; of more, all of the file system is, at the price of one flush. Before Linux 5.8 syncfs(2) did not
 * tell of failed writes, so there every entry is.
 */
export const SYNCED_ONE_BY_ONE: number = toldBySyncfs() ? 64 : Number.POSITIVE_INFINITY;

function toldBySyncfs(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 5 || (major === 5 && minor >= 8);
}
