/**
 * How much there is in a tree, for a bar that tells how much is left. Counted beside the work by one thread, a fifth of whose time is statx
 * calls that the copy would have made cold: it runs ahead and warms the cache. Begun late, so that a short job pays nothing.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { WalkOptions } from '../index.js';
import type { Amount } from './progress.js';

/** Milliseconds: what ends before needs no estimate. */
const DELAY = 1000;

type Filters = Pick<WalkOptions<'utf8'>, 'include' | 'exclude' | 'gitignore'>;

/** @returns a function that tells the size once it is known */
export function treeSize(root: string | Buffer, filters: Filters, signal: AbortSignal): () => Amount | undefined {
  let size: Amount | undefined;
  measure(root, filters, signal).then(
    (measured) => {
      size = measured;
    },
    () => {}, // No size, no estimate: what is wrong with the tree is for the copy to tell.
  );
  return () => size;
}

async function measure(root: string | Buffer, filters: Filters, signal: AbortSignal): Promise<Amount> {
  await sleep(DELAY, undefined, { signal, ref: false });
  const { walk } = await import('../main.js');
  let entries = 1;
  let bytes = 0;
  const { include, exclude, gitignore } = filters;
  const options = { include, exclude, gitignore, concurrency: 1, onError: () => {}, signal };
  for await (const batch of walk(root, options).batches()) {
    entries += batch.length;
    for (const { stat } of batch) {
      // Holes are not copied, and a file with several names is copied once.
      if (stat.isFile()) bytes += Math.min(Number(stat.exactSize), stat.blocks * 512) / stat.nlink;
    }
  }
  return { entries, bytes };
}
