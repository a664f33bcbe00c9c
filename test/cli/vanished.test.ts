// A source that vanishes between its listing and its opening: exit code 24, and everything else is copied.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { assertInjected, type StraceOptions, type SyscallEvent, strace } from '../fixtures/strace.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { jsonLines } from './run-command.js';

const names = ['first', 'gone', 'last'];

test('a file that vanishes while it is copied is told, and the command ends with 24', (t) => {
  if (!requireTool(t, 'strace')) return;
  const place = temporaryDirectory(t);
  const source = join(place, 'source');
  mkdirSync(source);
  for (const name of names) writeFileSync(join(source, name), name);

  const copy = (destination: string, options: StraceOptions = {}) =>
    strace(
      [
        ...[process.execPath, join(repositoryRoot, 'dist/cli/dirfd.js')],
        ...['copy', '--json', '--on-error=continue', '--concurrency=1', source, join(place, destination)],
      ],
      { trace: ['openat'], paths: [source], ...options },
    );
  const rehearsal = copy('whole');
  const nth = indexOnItsThread(rehearsal.events, ({ args }) => args[1] === '"gone"');
  const traced = copy('partial', { inject: [`openat:error=ENOENT:when=${nth}`] });
  assertInjected(traced, 'openat');
  assert.equal(traced.status, 24, traced.stderr);
  const [vanished, report] = jsonLines(traced.stdout);
  assert.deepEqual(vanished, { type: 'vanished', path: 'gone' });
  assert.deepEqual([report?.files, report?.errorCount, report?.vanishedCount], [2, 0, 1]);
  assert.match(traced.stderr, /^dirfd copy: vanished while the tree was read: gone\n.*; 1 entry vanished\n$/);

  const times = join(place, 'times');
  run('touch', ['-r', source, times]);
  rmSync(join(source, 'gone'));
  run('touch', ['-r', times, source]);
  assertSameTree(source, join(place, 'partial'));
});

/** strace's `when` counts the traced calls of each thread on its own. */
function indexOnItsThread(events: readonly SyscallEvent[], isWanted: (event: SyscallEvent) => boolean): number {
  const wanted = events.find(isWanted);
  assert.ok(wanted);
  return events.filter(({ pid }) => pid === wanted.pid).indexOf(wanted) + 1;
}
