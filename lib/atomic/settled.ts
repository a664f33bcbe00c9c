/** Whether times tell of a change. A file's ctime is that of a clock that stands still for a tick, but on the file systems that Linux 6.13 has given finer ones. */

import type { Stat } from '../dirfd/stat.js';

const SECOND = 1_000_000_000n;
/** More than two ticks; of whole seconds, two. As in native/ops/settled.h. */
const [MARGIN, MARGIN_OF_SECONDS] = [SECOND / 25n, 2n * SECOND];

/**
 * Whether every change after the look sets another ctime. Otherwise one of the same size cannot be told from none, and the content must be compared.
 *
 * @param lookedAt Date.now(), before the file was read
 */
export function isSettled({ ctimeNs }: Stat, lookedAt: number): boolean {
  const margin = ctimeNs % SECOND === 0n ? MARGIN_OF_SECONDS : MARGIN;
  return ctimeNs + margin < BigInt(lookedAt) * 1_000_000n;
}
