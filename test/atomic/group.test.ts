// Many writers at a time: their directory's fsyncs are shared, and none of them is told "done" before one that covers it.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { importable } from '../fixtures/ordinary-user.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { markCalls, markSource, strace } from '../fixtures/strace.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';

const atomic = new URL('dist/atomic/main.js', `file://${repositoryRoot}/`).href;

test('sixteen writers share the fsyncs of their directory, each covered by one that began after its rename', (t) => {
  if (!requireTool(t, 'strace')) return;
  const path = temporaryDirectory(t);
  const script = importable(`${markSource}
    import { DirectoryFd } from 'dirfd';
    import { writeFileAtomic } from '${atomic}';
    const directory = await DirectoryFd.open(process.argv[1]);
    await Promise.all(Array.from({ length: 16 }, async (_, index) => {
      await writeFileAtomic(directory, 'file-' + index, 'x');
      mark('done-' + index);
    }));`);
  // A disk that takes 30 ms makes sure that writers meet.
  const traced = strace([process.execPath, '--input-type=module', '-e', script, '--', path], {
    trace: ['linkat', ...markCalls],
    inject: ['fsync:delay_exit=30000'],
  });
  assert.equal(traced.status, 0, traced.stderr);
  assert.equal(readdirSync(path).length, 16);
  const ofDirectory = traced.events.filter(({ call, args }) => call === 'fsync' && args[0]?.endsWith(`<${path}>`));
  assert.ok(ofDirectory.length < 16 && ofDirectory.length > 0, `${ofDirectory.length} fsyncs of the directory`);
  for (let index = 0; index < 16; index++) {
    const linked = traced.events.findIndex(({ call, args }) => call === 'linkat' && args[3] === `"file-${index}"`);
    const done = traced.events.findIndex(({ args }) => args[0] === `"/dirfd-mark-done-${index}"`);
    // Events stand where calls have ended: a fsync that ended between the two may still have begun before the link, the last one cannot.
    const between = traced.events.slice(linked, done).filter((event) => ofDirectory.includes(event));
    assert.ok(linked >= 0 && between.length >= 1, `file-${index}: ${between.length} fsyncs between link and end`);
  }
});
