// What a crash of the machine may leave: every state that a file system may write in whatever order, between the fsyncs that strace has seen.
//
// The model: an inode's data and a directory's names are separate. A fsync that has ended makes durable all that was done to that inode, or in
// that directory, before it. Of what came after the last one, any part may be there and any part missing.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SyscallEvent } from '../fixtures/strace.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { callsOfWriter, NEW, OLD, reset, tracedWrite } from './traced-write.js';

type Step =
  | { readonly kind: 'data'; readonly text: string }
  | { readonly kind: 'link'; readonly name: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'sync-file' }
  | { readonly kind: 'sync-directory' };

const unquoted = (argument = '') => JSON.parse(argument) as string;

/** The draft is the one file that is written to; `place` is the directory's path. */
function toSteps(calls: readonly SyscallEvent[], place: string): Step[] {
  return calls.flatMap(({ call, args, result }): Step[] => {
    if (!(result >= 0)) return [];
    switch (call.replace(/2$/, '')) {
      case 'pwrite64':
        return [{ kind: 'data', text: unquoted(args[1]) }];
      case 'openat':
        // With O_EXCL the draft has a name from the beginning.
        return args[2]?.includes('O_EXCL') ? [{ kind: 'link', name: unquoted(args[1]) }] : [];
      case 'linkat':
        return [{ kind: 'link', name: unquoted(args[3]) }];
      case 'renameat':
        return [{ kind: 'rename', from: unquoted(args[1]), to: unquoted(args[3]) }];
      case 'fsync':
        return [{ kind: args[0]!.endsWith(`<${place}>`) ? 'sync-directory' : 'sync-file' }];
      default:
        return [];
    }
  });
}

interface State {
  readonly data: string;
  /** Name → 'old' or 'draft'. */
  readonly names: ReadonlyMap<string, string>;
}

/** Every state after a crash behind the first `length` steps. */
function* crashes(steps: readonly Step[], length: number): Generator<State> {
  const done = steps.slice(0, length);
  const lastOf = (kind: Step['kind']) => done.findLastIndex((step) => step.kind === kind);
  const isSafe = (step: Step, index: number) =>
    step.kind === 'data' ? index < lastOf('sync-file') : index < lastOf('sync-directory');
  const open = done.filter((step, index) => !step.kind.startsWith('sync') && !isSafe(step, index));
  for (let choice = 0; choice < 2 ** open.length; choice++) {
    let data = '';
    const names = new Map([['file', 'old']]);
    for (const [index, step] of done.entries()) {
      if (!isSafe(step, index) && !(choice & (2 ** open.indexOf(step)))) continue;
      if (step.kind === 'data') data += step.text;
      if (step.kind === 'link') names.set(step.name, 'draft');
      if (step.kind === 'rename') {
        // A rename that is there without the link before it: the name leads to the same inode all the same.
        names.delete(step.from);
        names.set(step.to, 'draft');
      }
    }
    yield { data, names };
  }
}

const contentOf = ({ data, names }: State) => (names.get('file') === 'old' ? OLD : data);

for (const [durability, disabled] of [
  ['full', ''],
  ['full', 'tmpfile'],
  ['data', ''],
] as const) {
  const how = `durability ${durability}${disabled && `, without ${disabled}`}`;
  test(`no reordering of a write shows the name with missing data: ${how}`, (t) => {
    if (!requireTool(t, 'strace')) return;
    const above = temporaryDirectory(t);
    mkdirSync(join(above, 'place'));
    reset(above);
    const traced = tracedWrite(above, { disabled, options: { durability } });
    assert.equal(traced.status, 0, traced.stderr);
    const steps = toSteps(callsOfWriter(traced, above), join(above, 'place'));
    const kinds = steps.map(({ kind }) => kind);
    assert.ok(kinds.includes('data') && kinds.includes('rename') && kinds.includes('sync-file'), kinds.join());
    let states = 0;
    for (let length = 0; length <= steps.length; length++) {
      for (const state of crashes(steps, length)) {
        assert.ok([OLD, NEW].includes(contentOf(state)), `after ${kinds.slice(0, length)}: '${contentOf(state)}'`);
        states++;
      }
    }
    assert.ok(states >= 10, String(states));
    const atTheEnd = new Set([...crashes(steps, steps.length)].map(contentOf));
    assert.deepEqual([...atTheEnd].sort(), durability === 'full' ? [NEW] : [NEW, OLD].sort());
  });
}

test('the model finds what a write without fsync may leave', (t) => {
  if (!requireTool(t, 'strace')) return;
  const above = temporaryDirectory(t);
  mkdirSync(join(above, 'place'));
  reset(above);
  const traced = tracedWrite(above, { options: { durability: 'full' } });
  const steps = toSteps(callsOfWriter(traced, above), join(above, 'place')).filter(({ kind }) => kind !== 'sync-file');
  assert.ok([...crashes(steps, steps.length)].some((state) => contentOf(state) === ''));
});
