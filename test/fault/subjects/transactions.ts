// Transactions: the commit, the recovery from one that was cut off, and the undo.
import { recover, undo } from 'dirfd/transaction';
import { after, commitAll, files, runKilled } from '../../transaction/crash.js';
import { fill, leavings, snapshot } from '../../transaction/snapshot.js';
import { amiss, complete, nothingAmiss, type Subject, type Verdict } from '../subject.js';

const lines = (of: ReturnType<typeof snapshot>): string[] =>
  Object.entries(of).map(([path, what]) => `${path}: ${what}`);
const before = Object.entries(files);

/** The tree as it was, as far as the files tell. */
const isOld = (work: string): boolean => {
  const now = snapshot(work);
  return before.every(([path, content]) => now[path]?.endsWith(` ${content}`)) && !('e' in now) && !('n' in now);
};
const isNew = (work: string): boolean => JSON.stringify(snapshot(work)) === JSON.stringify(after);

const oldOrNew = (work: string): Verdict =>
  amiss(isOld(work) || isNew(work) ? [] : ['neither old nor new:', ...lines(snapshot(work))]);

const ends =
  (isRight: (work: string) => boolean) =>
  (work: string): Verdict =>
    amiss(isRight(work) ? [] : ['not as it should be:', ...lines(snapshot(work))]);

/** Milliseconds. A close that is made to fail is not made, and keeps its lock: to wait for that is not to hang. */
const TIMEOUT = 5000;

/** Where a commit could not tidy up, the next recovery does. */
async function settle(work: string): Promise<void> {
  await recover(work, { lockTimeout: TIMEOUT });
  if (leavings(work).length > 0) throw new Error(`recovered, and there is left: ${leavings(work)}`);
}

/** Where it says that recover() is to settle it, that does. Else nothing has happened. */
const judgeFailed: Subject['judgeFailed'] = (work, _fixed, { rejected }) =>
  rejected?.code === 'ERR_DIRFD_RECOVERY' ? nothingAmiss : oldOrNew(work);

export const transactionSubjects: readonly Subject[] = [
  {
    name: 'transaction',
    writes: true,
    durable: true,
    makeWork: (work) => fill(work, files),
    run: async (work) => {
      await commitAll(work, { lockTimeout: TIMEOUT });
      return complete;
    },
    again: async (work) => {
      await settle(work);
      if (isOld(work)) await commitAll(work);
      return complete;
    },
    judge: ends(isNew),
    judgeKilled: () => nothingAmiss,
    judgeFailed,
  },
  {
    name: 'transaction-recover',
    writes: true,
    durable: true,
    makeWork: (work) => fill(work, files),
    // In the midst of its steps, so behind the point of no return.
    makeReady: (work) => killed(work, { call: 'renameat2', nth: 3 }),
    run: async (work) => {
      await settle(work);
      return complete;
    },
    judge: ends(isNew),
    judgeKilled: () => nothingAmiss,
    judgeFailed: () => nothingAmiss,
  },
  {
    name: 'transaction-undo',
    writes: true,
    durable: true,
    makeWork: (work) => fill(work, files),
    makeReady: (work) => {
      runKilled('commit', [work, 'keep'], { call: 'syncfs', nth: 99 });
    },
    run: async (work) => {
      await undo(work, 't', { lockTimeout: TIMEOUT });
      return complete;
    },
    again: async (work) => {
      await recover(work);
      if (!isOld(work)) await undo(work, 't');
      return complete;
    },
    judge: ends(isOld),
    judgeKilled: () => nothingAmiss,
    // It goes on going back in the next recovery.
    judgeFailed: () => nothingAmiss,
  },
];

function killed(work: string, point: Parameters<typeof runKilled>[2]): void {
  if (!runKilled('commit', [work, 'drop'], point)) throw new Error(`no ${point.call} ${point.nth} to be killed at`);
}
