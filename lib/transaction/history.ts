/** What transactions have left in a root: those that a crash has cut short, and those that are kept for undo. */

import { type Change, changesOf } from './changes.js';
import { discard, storyIn } from './recover.js';
import { isAmong, Reopened } from './reopened.js';
import type { WaitOptions } from './site.js';
import { lockAll, Site, type TransactionRoot, unlockAll } from './site.js';

export interface TransactionStatus {
  readonly id: string;
  /**
   * `active`: its process lives. `staged`: it crashed before its commit. `committed`, `going-back`: it crashed while its changes were made or taken
   * back. `done`: over, and kept for undo. `undone`.
   */
  readonly state: 'active' | 'staged' | 'committed' | 'going-back' | 'done' | 'undone';
  /** Of the commit. */
  readonly time: Date | undefined;
  /** Those in force; none before the commit. */
  readonly changes: readonly Change[];
}

/** How much is kept for undo. */
export interface Retention {
  /** Transactions, the youngest. */
  readonly count?: number | undefined;
  /** Milliseconds since the commit. */
  readonly maxAge?: number | undefined;
}

/** Every transaction that has left something, the oldest first. Only reads, and takes no lock. */
export async function listTransactions(root: TransactionRoot): Promise<TransactionStatus[]> {
  const site = await Site.open(root, { create: false });
  if (site === undefined) return [];
  await using _site = site;
  const all: TransactionStatus[] = [];
  for (const id of await site.ids()) {
    const story = await storyIn(site, id);
    if (story === undefined) {
      all.push({ id, state: 'staged', time: undefined, changes: [] });
      continue;
    }
    const steps = story.steps.filter((_, number) => story.inForce.has(number));
    const time = story.time === '' ? undefined : new Date(story.time);
    const state = story.active ? 'active' : story.state;
    all.push({ id, state, time, changes: changesOf(steps, story.roots) });
  }
  return all.sort((a, b) => Number(a.time ?? 0) - Number(b.time ?? 0));
}

/** What `recover()` would settle. */
export async function pending(root: TransactionRoot): Promise<TransactionStatus[]> {
  const all = await listTransactions(root);
  return all.filter(({ state }) => state === 'staged' || state === 'committed' || state === 'going-back');
}

/**
 * Forgets transactions that are kept for undo, but for those that the retention names; without one, all.
 *
 * @returns their ids
 */
export async function pruneTransactions(
  root: TransactionRoot,
  { count = 0, maxAge = Number.POSITIVE_INFINITY, ...options }: Retention & WaitOptions = {},
): Promise<string[]> {
  const isLimitedByAge = Number.isFinite(maxAge);
  const over = (await listTransactions(root)).filter(({ state }) => state === 'done' || state === 'undone').reverse();
  const oldest = Date.now() - maxAge;
  const pruned = over.filter(({ time, state }, index) => {
    if (state === 'undone') return true;
    const isYoung = isLimitedByAge && Number(time) >= oldest;
    return isLimitedByAge ? !isYoung || (count > 0 && index >= count) : index >= count;
  });
  if (pruned.length === 0) return [];
  const site = await Site.open(root, { create: false });
  if (site === undefined) return [];
  await using _site = site;
  const forgotten: string[] = [];
  for (const { id } of pruned) if (await forget(site, id, options)) forgotten.push(id);
  return forgotten;
}

/** @returns whether it was still one that is over */
async function forget(site: Site, id: string, options: WaitOptions): Promise<boolean> {
  const roots = (await storyIn(site, id))?.roots ?? [];
  // A copy has what it has brought along to itself. Of a root that is gone, what it has left there goes with the next recovery of it.
  await using reopened = await Reopened.present(isAmong(roots, site) ? roots : [site.record], site, id);
  const locks = await lockAll(reopened.sites, false, options);
  try {
    // Without the lock an undo may have begun since, and a crash may have cut it short: that needs what is kept.
    const story = await storyIn(site, id);
    const isOver = story !== undefined && !story.active && (story.state === 'done' || story.state === 'undone');
    if (isOver) await discard(reopened.sites, id);
    return isOver;
  } finally {
    await unlockAll(locks);
  }
}
