// Processes killed in the middle. Here some of the calls are tried; `npm run crash` tries every one, and takes its time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pending, recover, undo } from 'dirfd/transaction';
import { some } from '../fixtures/kill.js';
import type { TestLike } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { assertWhole, files, killPoints, runKilled } from './crash.js';
import { inRootWith, leavings, rootWith, snapshot } from './snapshot.js';

const all = process.env.DIRFD_CRASH === 'all';

function canTrace(t: TestLike): boolean {
  return requireTool(t, 'strace');
}

/** A commit that comes to its end. */
const never = { call: 'syncfs', nth: 99 };
const nothing = { finished: [], rolledBack: [], discarded: [], active: [], kept: [] };

describe('killed at a system call,', () => {
  for (const [keep, what] of [
    ['keep', 'and can be undone'],
    ['drop', 'and nothing is left'],
  ] as const) {
    test(`a commit is recovered to old or new, ${what}`, { timeout: 3_600_000 }, async (t) => {
      if (!canTrace(t)) return;
      const ends = { old: 0, new: 0 };
      const points = killPoints('commit', [rootWith(t, files), keep]);
      for (const point of some(points, all ? points.length : 12)) {
        await inRootWith(files, async (root) => {
          const before = snapshot(root);
          const where = `${point.call} ${point.nth}`;
          runKilled('commit', [root, keep], point);
          await recover(root);
          const end = assertWhole(root, before, where);
          ends[end]++;
          if (end === 'new' && keep === 'keep') {
            await undo(root, 't');
            assert.deepEqual(snapshot(root), before, where);
          }
          assert.deepEqual(leavings(root), [], where);
          assert.deepEqual(await recover(root), nothing, 'there is nothing left to recover');
        });
      }
      t.diagnostic(`${points.length} calls; ended old ${ends.old} times, new ${ends.new} times`);
      assert.ok(ends.old > 0 && ends.new > 0, 'killed before and after the commit point');
    });
  }

  for (const program of ['recover', 'undo'] as const) {
    const [one, again] = program === 'recover' ? ['a recovery', 'another one'] : ['an undo', 'a recovery'];
    test(`${one} is finished by ${again}`, { timeout: 3_600_000 }, async (t) => {
      if (!canTrace(t)) return;
      const begun = [rootWith(t, files), 'keep'] as const;
      const renames = killPoints('commit', [rootWith(t, files), 'keep']).filter(({ call }) =>
        call.startsWith('renameat'),
      );
      const firsts = program === 'undo' ? [never] : renames;
      runKilled('commit', begun, firsts[Math.floor(firsts.length / 2)] ?? never);
      const seconds = killPoints(program, begun);
      let killed = 0;
      for (const first of all ? firsts : some(firsts, 2)) {
        for (const second of all ? seconds : some(seconds, program === 'undo' ? 8 : 4)) {
          await inRootWith(files, async (root) => {
            const before = snapshot(root);
            const where = `${first.call} ${first.nth}, ${second.call} ${second.nth}`;
            runKilled('commit', [root, 'keep'], first);
            const [state] = (await pending(root)).map((transaction) => transaction.state);
            if (runKilled(program, [root], second)) killed++;
            await recover(root);
            const end = assertWhole(root, before, where);
            if (state === 'committed') assert.equal(end, 'new', where);
            if (end === 'new') {
              await undo(root, 't');
              assert.deepEqual(snapshot(root), before, where);
            }
            assert.deepEqual(leavings(root), [], where);
          });
        }
      }
      t.diagnostic(`${firsts.length} × ${seconds.length} calls, killed ${killed} times`);
      assert.ok(killed > 0);
    });
  }
});
