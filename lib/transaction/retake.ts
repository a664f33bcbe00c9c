/**
 * One step as recovery and undo take it, or take it back. They look first, and every step may be found done already: what has happened is told by
 * inodes and content, never by a name alone. Where an entry is neither what the step left nor what it found, it is somebody else's: it stays.
 */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { Stat } from '../dirfd/stat.js';
import { unless } from '../dirfd/unless.js';
import { statOf } from './absent.js';
import { contentOf, hasSameContent, type Identity, isSame, treeIn } from './identity.js';
import { changeMode, type SyncInode } from './mode.js';
import { exchange, exchangeBack, give, oldSlotOf, type Pair, take } from './renames.js';
import type { Step } from './steps.js';

/** Takes a step that may have been taken. @returns false where it cannot be */
export async function retakeStep(step: Step, pair: Pair, sync: SyncInode): Promise<boolean> {
  const { named, slotted, kept } = await look(pair);
  switch (step.do) {
    case 'detach':
      if (isSame(named, step.old)) {
        if (!step.moved && !(await isUnchanged(pair, named, step.old))) return false;
        await take(pair);
        return true;
      }
      if (slotted !== undefined) {
        if (isSame(slotted, step.old) && hasSameContent(slotted, step.old)) return true;
        if (named === undefined) await give(pair);
        return false;
      }
      // Gone by another's hand, or moved on to where it is to be.
      return step.moved || named === undefined;
    case 'attach':
      if (!isSame(slotted, step.new)) return true;
      if (isSame(named, step.new)) await pair.work.unlink(pair.slot);
      else if (named === undefined) await give(pair);
      else return false;
      return true;
    case 'exchange':
      if (!isSame(slotted, step.new)) {
        const old = slotted ?? kept;
        if (old === undefined || (isSame(old, step.old) && hasSameContent(old, step.old))) return true;
        // The crash came between the exchange and the look at what it brought: an edit of somebody who was quicker.
        if (isSame(named, step.new)) await (slotted ? exchange(pair) : exchangeBack(pair));
        return false;
      }
      if (isSame(named, step.old)) {
        if (!(await isUnchanged(pair, named, step.old))) return false;
        if (kept) await pair.work.unlink(oldSlotOf(pair.slot));
        await exchange(pair);
        return true;
      }
      if (named !== undefined || !isSame(kept, step.old)) return false;
      await give(pair);
      return true;
    case 'chmod':
      return (await changeMode(pair, step.of, step.to, sync, step.from)) !== 'edited';
  }
}

/** Takes a step back that may not have been taken, or been taken back. @returns false where it cannot be */
export async function takeStepBack(step: Step, pair: Pair, sync: SyncInode): Promise<boolean> {
  const { named, slotted, kept } = await look(pair);
  switch (step.do) {
    case 'detach': {
      if (isSame(named, step.old)) return true;
      if (slotted === undefined) return true;
      if (!isSame(slotted, step.old) || named !== undefined) return false;
      await give(pair);
      return true;
    }
    case 'attach':
      if (isSame(named, step.new)) {
        if (isSame(slotted, step.new)) await pair.directory.unlink(pair.name);
        else if (!step.moved && !(await isOurs(step, pair, named))) return false;
        else await take(pair);
        return true;
      }
      // Not taken yet, or gone by another's hand: nothing of ours has the name.
      return true;
    case 'exchange':
      if (isSame(named, step.old)) return true;
      if (named === undefined && !isSame(slotted, step.old) && isSame(kept, step.old)) {
        await give({ ...pair, slot: oldSlotOf(pair.slot) });
        return true;
      }
      if (!isSame(named, step.new)) return !isSame(slotted, step.old) && !isSame(kept, step.old);
      if (!step.moved && !(await isOurs(step, pair, named))) return false;
      if (isSame(slotted, step.old)) await exchange(pair);
      else if (isSame(kept, step.old)) await exchangeBack(pair);
      else return false;
      return true;
    case 'chmod':
      return (await changeMode(pair, step.of, step.from, sync, step.to)) !== 'edited';
  }
}

/**
 * Whether a step that was taken can be taken back without losing what somebody has done since.
 *
 * @param tree what the new directory holds once all steps are taken, where that is more than what was staged
 */
export async function isAsLeft(step: Step, pair: Pair, tree: string | undefined): Promise<boolean> {
  const { named, slotted, kept } = await look(pair);
  switch (step.do) {
    case 'detach':
      return step.moved || (named === undefined && isSame(slotted, step.old));
    case 'attach':
      return isSame(named, step.new) && (step.moved || (await isOurs(step, pair, named, tree)));
    case 'exchange': {
      const old = isSame(slotted, step.old) || isSame(kept, step.old);
      if (!old || !isSame(named, step.new)) return false;
      return step.moved || (await isOurs(step, pair, named, tree));
    }
    case 'chmod':
      return isSame(named, step.of) && (named.mode & 0o7777) === step.to;
  }
}

/** Whether what the step is to bring still lies in its slot. */
export async function isWaiting(step: Step, work: DirectoryFd): Promise<boolean> {
  if (step.do !== 'attach' && step.do !== 'exchange') return false;
  return isSame(await statOf(work, String(step.slot)), step.new);
}

/** Whether what the step has taken away lies in its slot. */
export async function holdsOld(step: Step, work: DirectoryFd): Promise<boolean> {
  if (step.do !== 'detach' && step.do !== 'exchange') return false;
  const [slotted, kept] = [await statOf(work, String(step.slot)), await statOf(work, oldSlotOf(String(step.slot)))];
  return isSame(slotted, step.old) || isSame(kept, step.old);
}

async function look({ directory, name, work, slot }: Pair) {
  const [named, slotted, kept] = await Promise.all([
    statOf(directory, name),
    slot === '' ? undefined : statOf(work, slot),
    slot === '' ? undefined : statOf(work, oldSlotOf(slot)),
  ]);
  return { named, slotted, kept };
}

/** Whether an entry that the transaction replaces or deletes is as it was when it was added. */
async function isUnchanged({ directory, name }: Pair, stat: Stat, old: Identity): Promise<boolean> {
  if (old.tree !== undefined) return (await treeIn(directory, name)) === old.tree;
  if (!hasSameContent(stat, old)) return false;
  if (String(stat.ctimeNs) === old.ctime || old.sha256 === undefined) return true;
  return (await contentOf(directory, name)) === old.sha256;
}

/** Whether an entry that the transaction has brought holds what it brought; `tree`: with what further steps have put into it. */
async function isOurs(
  step: { readonly new: Identity },
  { directory, name }: Pair,
  stat: Stat,
  tree: string | undefined = step.new.tree,
): Promise<boolean> {
  const { sha256 } = step.new;
  if (tree !== undefined) return (await treeIn(directory, name)) === tree;
  if (sha256 === undefined) return true;
  if (stat.size !== step.new.size) return false;
  const content = await unless('EACCES', contentOf(directory, name));
  // Its owner may take away what not even the owner may read; size and times must do.
  return content === undefined ? hasSameContent(stat, step.new) : content === sha256;
}
