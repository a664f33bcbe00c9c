// Backups, prunes and restores killed in the middle. Here some of the calls are tried; `npm run crash` tries every one.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { some } from '../fixtures/kill.js';
import { requireTool } from '../fixtures/tools.js';
import { copyOf, judge, killPoints, leaveDebris, makeStore, type Program, runKilled } from './crash.js';

const all = process.env.DIRFD_CRASH === 'all';

const CASES: Readonly<Record<Program, readonly [title: string, sample: number]>> = {
  create: ['a backup that is killed is a version, whole, or none', 5],
  prune: ['a prune that is killed leaves whole versions, and the next one the rest', 3],
  clean: ['a prune that is killed over what kills have left loses nothing, and the next one leaves none of it', 3],
  restore: ['a restore that is killed has changed nothing or all', 4],
};

for (const [program, [title, sample]] of Object.entries(CASES) as [Program, (typeof CASES)[Program]][]) {
  test(title, { timeout: 3_600_000 }, async (t) => {
    if (!requireTool(t, 'strace', 'rsync', 'taskset')) return;
    const root = await makeStore(t);
    if (program === 'clean') leaveDebris(root, t);
    const points = killPoints(program, copyOf(root, t));
    const ends = { old: 0, new: 0 };
    let killed = 0;
    const tried = all ? points : some(points, sample);
    for (const point of tried) {
      const place = copyOf(root, t);
      const where = `${program}, ${point.call} ${point.nth}`;
      if (runKilled(program, place, point)) killed++;
      ends[await judge(place, program, where)]++;
    }
    t.diagnostic(`${points.length} calls, ${killed} killed; ended old ${ends.old} times, new ${ends.new} times`);
    // What shares its work among threads may lack a call that it made when they were counted.
    assert.ok(killed >= (tried.length * 8) / 18, `killed ${killed} of ${tried.length} times`);
    if (all && program !== 'clean') assert.ok(ends.old > 0 && ends.new > 0, 'killed before and after the decision');
  });
}
