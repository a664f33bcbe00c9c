/** What transactions have left in a root: those that a crash has cut short, and those that are kept for undo. */

import { StateError } from '../operation-errors.js';
import { type Change, changesOf } from './changes.js';
import { isKept } from './journal.js';
import { whyLeft } from './obstacle.js';
import { discard, storyIn } from './recover.js';
import { isAmong, Reopened } from './reopened.js';
import type { WaitOptions } from './site.js';
import { lockAll, Site, type TransactionRoot, unlockAll } from './site.js';
import { invalid } from './view.js';

export interface TransactionStatus {
  readonly id: string;
  /**
   * `active`: its process lives. `staged`: it crashed before its commit. `committed`, `going-back`: it crashed while its changes were made or taken
   * back. `done`: over, and kept for undo if `keepUndo`. `undone`: taken back. `unreadable`: what became of it nobody knows, as the root with its log is
   * gone, or the log is not one of this version.
   */
  readonly state: 'unreadable' | 'active' | 'staged' | 'committed' | 'going-back' | 'done' | 'undone';
  /** Why `recover()` would leave it alone without `edits: 'keep'`, where that can be told beforehand: a root that is gone, a copy of a tree. */
  readonly obstacle: string | undefined;
  /** Whether what it has replaced and deleted is to be kept. */
  readonly keepUndo: boolean;
  /** Of the commit. */
  readonly time: Date | undefined;
  /** Those in force; none before the commit. */
  readonly changes: readonly Change[];
}

/** How much is kept for undo: what exceeds either is not. */
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
    const story = await storyIn(site, id).catch((error) => {
      if (!(error instanceof StateError)) throw error;
      return 'unreadable' as const;
    });
    if (story === undefined || story === 'unreadable' || story.isLost) {
      const state = story ? 'unreadable' : 'staged';
      all.push({ id, state, obstacle: undefined, keepUndo: false, time: undefined, changes: [] });
      continue;
    }
    const steps = story.steps.filter((_, number) => story.inForce.has(number));
    const time = story.time === '' ? undefined : new Date(story.time);
    const state = story.active ? 'active' : story.state;
    const obstacle = story.active ? undefined : await whyLeft(story, site, id);
    all.push({ id, state, obstacle, keepUndo: story.keepUndo, time, changes: changesOf(steps, story.roots) });
  }
  return all.sort((a, b) => Number(a.time ?? 0) - Number(b.time ?? 0));
}

/** What `recover()` would settle. */
export async function pending(root: TransactionRoot): Promise<TransactionStatus[]> {
  const all = await listTransactions(root);
  return all.filter((status) => status.state !== 'active' && !isKept(status));
}

/**
 * Forgets transactions that are kept for undo, but for those that the retention names; without one, all. What is over and not kept goes along.
 *
 * @returns their ids
 * @throws ValidationError
 */
export async function pruneTransactions(
  root: TransactionRoot,
  { count, maxAge, ...options }: Retention & WaitOptions = {},
): Promise<string[]> {
  checkRetention({ count, maxAge }, 'prune');
  const over = (await listTransactions(root)).filter(({ state }) => state === 'done' || state === 'undone').reverse();
  const most = count ?? (maxAge === undefined ? 0 : Number.POSITIVE_INFINITY);
  const oldest = Date.now() - (maxAge ?? Number.POSITIVE_INFINITY);
  const kept = new Set(over.filter(isKept).filter(({ time }, index) => index < most && Number(time) >= oldest));
  const pruned = over.filter((status) => !kept.has(status));
  if (pruned.length === 0) return [];
  const site = await Site.open(root, { create: false });
  if (site === undefined) return [];
  await using _site = site;
  const forgotten: string[] = [];
  for (const { id } of pruned) if (await forget(site, id, options)) forgotten.push(id);
  return forgotten;
}

/** @throws ValidationError */
export function checkRetention({ count, maxAge }: Retention, verb: string): void {
  for (const [name, value] of Object.entries({ count, maxAge })) {
    if (value === undefined || (typeof value === 'number' && value >= 0)) continue;
    throw invalid(`${name} must be a number, and not negative`, { verb });
  }
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
