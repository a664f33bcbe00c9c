// A lock that is taken, changed, waited for and given back; what is held at each step is what the kernel says.
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DirectoryFd } from 'dirfd';
import { FileLock } from 'dirfd/lock';
import { locksOn, sameLines } from '../judges.js';
import { type Answer, amiss, complete, type Subject, type Verdict } from '../subject.js';

/** Milliseconds; long enough for a wait that nothing disturbs. */
const TIMEOUT = 2000;

const steps = [
  '0 shared READ',
  '1 exclusive WRITE',
  '2 none',
  '3 another WRITE',
  '4 waited for WRITE',
  '5 none',
  '6 exclusive WRITE',
];

const nothingHeld = (work: string): Verdict => {
  const path = `${work}/lock`;
  return amiss(existsSync(path) ? locksOn(path).map((kind) => `still locked: ${kind}`) : []);
};

export const lockSubjects: readonly Subject[] = [
  {
    name: 'lock',
    writes: true,
    run: async (work) => {
      const found: string[] = [];
      const note = (what: string) => found.push([found.length, what, ...locksOn(`${work}/lock`)].join(' '));
      await using lock = await FileLock.open(work, 'lock');
      await lock.lock({ shared: true });
      note('shared');
      await lock.lock();
      note('exclusive');
      await lock.unlock();
      note('none');
      await waitForAnother(work, lock, note);
      await lock.unlock();
      note('none');
      await lock.lock(); // the end of the handle gives it back
      note('exclusive');
      return { ...complete, found } satisfies Answer;
    },
    judge: (work, _fixed, { found = [] }) => {
      const { differences } = sameLines(found, steps);
      return { ...nothingHeld(work), differences: [...differences, ...nothingHeld(work).differences] };
    },
    judgeKilled: nothingHeld,
    judgeFailed: nothingHeld,
  },
];

/** Behind a lock of another open file description, which is the kernel's to wait for. */
async function waitForAnother(work: string, lock: FileLock, note: (what: string) => void): Promise<void> {
  await using directory = await DirectoryFd.open(work);
  await using another = await directory.openFile('lock', { flags: 'r+' });
  const holding = async (): Promise<void> => {
    await sleep(10);
    await another.close();
  };
  await another.lock();
  note('another');
  const [waited, closed] = await Promise.allSettled([lock.lock({ timeout: TIMEOUT }), holding()]);
  for (const outcome of [waited, closed]) if (outcome.status === 'rejected') throw outcome.reason;
  note('waited for');
}
