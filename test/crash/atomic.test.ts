// atomic against others who work in the same place at the wrong moment: what is not the copy's is never removed, and what is the copy's is not lost.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyTree } from 'dirfd';
import { assertComplete, pair } from '../copy/pair.js';
import { assertSameTree } from '../fixtures/compare.js';
import { importable } from '../fixtures/ordinary-user.js';
import { assertInjected, strace, type Traced } from '../fixtures/strace.js';
import { requireTool } from '../fixtures/tools.js';
import { plain } from '../fixtures/trees.js';

/** strace counts by thread: all calls of node's own pool on one. */
function traced(script: string, args: readonly string[], inject: readonly string[]): Traced {
  const command = [process.execPath, '--input-type=module', '-e', importable(script), '--', ...args];
  return strace(command, { trace: ['mkdirat'], inject, env: { ...process.env, UV_THREADPOOL_SIZE: '1' } });
}

test('atomic: a directory that took the place during the copy, and cannot be put back, is kept for good', async (t) => {
  if (!requireTool(t, 'strace')) return;
  const { base, source, destination, to } = pair(t, plain);
  mkdirSync(destination);
  writeFileSync(to('old'), 'old');
  const script = `
    import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
    import { copyTree } from 'dirfd';
    const [source, destination] = process.argv.slice(1);
    const job = copyTree(source, destination, { atomic: true, delete: true, itemize: true });
    let swapped = false;
    try {
      for await (const event of job) {
        if (swapped) continue;
        swapped = true;
        renameSync(destination, destination + '-moved');
        mkdirSync(destination);
        writeFileSync(destination + '/foreign', 'foreign');
      }
    } catch (error) {
      console.log(JSON.stringify({ code: error.code, message: error.message }));
    }
  `;
  const run = traced(script, [source, destination], ['renameat2:error=EIO:when=2']);
  assertInjected(run, 'renameat2');
  const { code, message } = JSON.parse(run.stdout) as { code: string; message: string };
  assert.equal(code, 'ERR_DIRFD_CHANGED');
  const kept = /kept: '([^']+)'/.exec(message)?.[1];
  assert.ok(kept !== undefined, message);
  assertComplete(await copyTree(source, `${destination}-next`, { atomic: true }));
  assert.equal(readFileSync(join(kept, 'foreign'), 'utf8'), 'foreign');
  assert.ok(existsSync(join(base, 'destination-moved', 'old')));
});

test('atomic: a private directory that another copy has locked first is left to it, and another one made', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { base, source, destination } = pair(t, plain);
  const script = `
    import { copyTree } from 'dirfd';
    await copyTree(process.argv[1], process.argv[2], { atomic: true });
  `;
  const run = traced(script, [source, destination], ['flock:error=EAGAIN:when=1']);
  assertInjected(run, 'flock');
  assert.equal(run.status, 0, run.stderr);
  const made = run.events.filter(({ call, args }) => call === 'mkdirat' && args[1]?.includes('.dirfd-'));
  assert.equal(made.length, 2);
  assertSameTree(source, destination);
  assert.deepEqual(readdirSync(base).sort(), ['destination', 'source']);
});
