/**
 * How much there is in a tree, for a bar that tells how much is left. Counted beside the work by one thread, a fifth of whose time is statx
 * calls that the copy would have made cold: it runs ahead and warms the cache. Begun late, so that a short job pays nothing.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Stat, WalkOptions } from '../index.js';
import type { Amount } from './progress.js';
import { splitPath } from './split-path.js';

/** Milliseconds: what ends before needs no estimate. */
const DELAY = 1000;

export interface Scope extends Pick<WalkOptions<'utf8'>, 'include' | 'exclude' | 'gitignore' | 'oneFileSystem'> {
  /** A file with several names is copied once. */
  readonly hardLinks?: boolean | undefined;
}

/** @returns a function that tells the size once it is known */
export function treeSize(root: string | Buffer, scope: Scope, signal: AbortSignal): () => Amount | undefined {
  let size: Amount | undefined;
  measure(root, scope, signal).then(
    (measured) => {
      size = measured;
    },
    () => {}, // No size, no estimate: what is wrong with the tree is for the copy to tell.
  );
  return () => size;
}

async function measure(root: string | Buffer, scope: Scope, signal: AbortSignal): Promise<Amount> {
  await sleep(DELAY, undefined, { signal, ref: false });
  const { DirectoryFd, walk } = await import('../main.js');
  const { hardLinks = true, include, exclude, gitignore, oneFileSystem } = scope;
  const filters = { include, exclude, gitignore, oneFileSystem };
  const { directory, name } = splitPath(Buffer.from(root));
  // What has no name of its own is a directory; whatever else goes wrong, the walk will tell.
  const single = await DirectoryFd.open(directory)
    .then(async (parent) => await parent.stat(name).finally(() => parent.close()))
    .catch(() => undefined);
  if (single?.isFile()) return { entries: 1, bytes: contentOf(single, false) };
  let entries = 0;
  let bytes = 0;
  for await (const batch of walk(root, { ...filters, concurrency: 1, onError: () => {}, signal }).batches()) {
    entries += batch.length;
    for (const { stat } of batch) bytes += contentOf(stat, hardLinks);
  }
  return { entries, bytes };
}

/** Holes are not copied. */
function contentOf(stat: Stat, hardLinks: boolean): number {
  if (!stat.isFile()) return 0;
  return Math.min(Number(stat.exactSize), stat.blocks * 512) / (hardLinks ? stat.nlink : 1);
}
