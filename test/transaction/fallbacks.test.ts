// File systems without RENAME_EXCHANGE and RENAME_NOREPLACE: the flags are refused by strace, which leaves plain renames alone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { recover, undo } from 'dirfd/transaction';
import { attempt } from '../fixtures/command.js';
import { assertInjected, strace } from '../fixtures/strace.js';
import { requireTool } from '../fixtures/tools.js';
import { after, assertWhole, commandOf, env, files, type KillPoint } from './crash.js';
import { inRootWith, leavings, rootWith, snapshot } from './snapshot.js';

const refused = 'renameat2:error=EINVAL';

describe('without the flags of renameat2', () => {
  test('a commit and its undo come to the same', (t) => {
    if (!requireTool(t, 'strace')) return;
    const root = rootWith(t, files);
    const before = snapshot(root);
    for (const [program, expected] of [
      ['commit', after],
      ['undo', before],
    ] as const) {
      const traced = strace(commandOf(program, [root, 'keep']), { inject: [refused], env });
      assert.equal(traced.status, 0, traced.stderr);
      assertInjected(traced, 'renameat2');
      assert.deepEqual(snapshot(root), expected);
    }
    assert.deepEqual(leavings(root), []);
  });

  test('a commit that is killed is recovered to old or new', async (t) => {
    if (!requireTool(t, 'strace')) return;
    const ends = { old: 0, new: 0 };
    const points: KillPoint[] = [
      ...[1, 2, 4, 6].map((nth) => ({ call: 'linkat', nth })),
      ...[1, 5].map((nth) => ({ call: 'renameat', nth })),
      ...[2, 4].map((nth) => ({ call: 'unlinkat', nth })),
    ];
    for (const { call, nth } of points) {
      await inRootWith(files, async (root) => {
        const before = snapshot(root);
        const inject = ['-e', `inject=${refused}`, '-e', `inject=${call}:signal=KILL:when=${nth}`];
        const trace = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=renameat2,${call}`];
        attempt('strace', [...trace, ...inject, ...commandOf('commit', [root, 'keep'])], { env });
        await recover(root);
        const end = assertWhole(root, before, `${call} ${nth}`);
        ends[end]++;
        if (end === 'new') await undo(root, 't');
        assert.deepEqual(snapshot(root), before, `${call} ${nth}`);
        assert.deepEqual(leavings(root), []);
      });
    }
    assert.ok(ends.new > 0);
  });
});
