/**
 * One step as the commit takes it. All has just been checked, so it acts first, and looks at what it got afterwards: a file that somebody slipped
 * in between is put back.
 */

import { FsError } from '../errors.js';
import { statOf } from './absent.js';
import { hasSameContent, isSame, treeIn } from './identity.js';
import { changeMode, type SyncInode } from './mode.js';
import { exchange, exchangeBack, give, oldSlotOf, type Pair, take } from './renames.js';
import { pathOf, type Step } from './steps.js';

/** A step that finds something else than was there a moment ago. */
export class Obstacle extends Error {
  readonly step: Step;
  constructor(step: Step) {
    super(pathOf(step));
    this.step = step;
  }
}

/** @throws Obstacle, or what a system call failed with; then nothing has been changed */
export async function takeStep(step: Step, pair: Pair, sync: SyncInode): Promise<void> {
  if (step.do === 'chmod') {
    if ((await changeMode(pair, step.of, step.to, sync)) !== 'set') throw new Obstacle(step);
    return;
  }
  try {
    if (step.do === 'detach') await take(pair);
    else if (step.do === 'attach') await give(pair);
    else await exchange(pair);
  } catch (error) {
    if (error instanceof FsError && ['EEXIST', 'ENOENT', 'ENOTEMPTY'].includes(error.code)) throw new Obstacle(step);
    throw error;
  }
  if (step.do === 'attach' || (step.do === 'detach' && step.moved)) return;
  const { work, slot } = pair;
  const kept = await statOf(work, slot);
  const got = kept ?? (await statOf(work, oldSlotOf(slot)));
  const where = kept ? slot : oldSlotOf(slot);
  const isWhole = isSame(got, step.old) && hasSameContent(got, step.old);
  if (isWhole && (step.old.tree === undefined || (await treeIn(work, where)) === step.old.tree)) return;
  // Somebody was quicker: theirs goes back to where it was.
  if (step.do === 'detach') await give(pair);
  else await (kept ? exchange(pair) : exchangeBack(pair));
  throw new Obstacle(step);
}
