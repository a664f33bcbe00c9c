// delete: when it removes, how much at most, and what keeps it from removing.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type CopyOptions, type CopyReport, copyTree } from 'dirfd';
import { assertSameTree } from '../fixtures/compare.js';
import { inventory } from '../fixtures/inventory.js';
import { mounted } from '../fixtures/mounts.js';
import { importable } from '../fixtures/ordinary-user.js';
import { strace } from '../fixtures/strace.js';
import { requireTool } from '../fixtures/tools.js';
import { plain } from '../fixtures/trees.js';
import { assertComplete, type Pair, pair, pairIn } from './pair.js';

/** A copy with seven entries too many, in three places. */
async function overfull(t: Parameters<typeof pair>[0]): Promise<Pair> {
  const made = pair(t, plain);
  const { source, destination, from, to } = made;
  await copyTree(source, destination);
  mkdirSync(to('gone', 'deep'), { recursive: true });
  for (const name of ['gone/one', 'gone/deep/two', 'a/three', 'a/b/four', 'five']) writeFileSync(to(name), name);
  writeFileSync(from('new'), 'new');
  return made;
}

async function told(job: ReturnType<typeof copyTree>): Promise<[string[], CopyReport]> {
  const lines: string[] = [];
  for await (const event of job) if (event.type === 'entry') lines.push(`${event.changes} ${event.path}`);
  return [lines, await job];
}

for (const when of [true, 'before', 'after'] as const) {
  test(`delete: ${when} removes what the source lacks and leaves the same tree; a dry run foretells it`, async (t) => {
    const { source, destination } = await overfull(t);
    const options: CopyOptions = { update: true, delete: when, itemize: true };
    const before = inventory(destination);
    const [foretold, dry] = await told(copyTree(source, destination, { ...options, dryRun: true }));
    assert.deepEqual(inventory(destination), before);
    const [lines, report] = await told(copyTree(source, destination, options));
    assertComplete(report);
    assertSameTree(source, destination);
    assert.deepEqual([...lines].sort(), [...foretold].sort());
    assert.deepEqual([report.deleted, dry.deleted], [7, 7]);
    const place = (line: string) => lines.findIndex((at) => at.startsWith(line));
    if (when === 'before') assert.ok(place('*deleting   gone') < place('>f'), lines.join('\n'));
    if (when === 'after') assert.ok(place('*deleting') > place('>f'), lines.join('\n'));
    const again = await copyTree(source, destination, options);
    assert.deepEqual([again.deleted, again.files, again.updated], [0, 0, 0]);
  });
}

test("delete: 'before' makes the room that the copy needs", async (t) => {
  const place = mounted(t, 'tmpfs', { megabytes: 8 });
  if (place === undefined) return;
  const { source } = pair(t, (path) => writeFileSync(`${path}/new`, Buffer.alloc(5 << 20, 1)));
  const destination = `${place}/copy`;
  mkdirSync(destination);
  writeFileSync(`${destination}/old`, Buffer.alloc(5 << 20, 1));
  await assert.rejects(async () => await copyTree(source, destination, { delete: 'after' }), { code: 'ENOSPC' });
  assert.ok(existsSync(`${destination}/old`));
  assertComplete(await copyTree(source, destination, { delete: 'before' }));
  assertSameTree(source, destination);
});

test("delete: 'after' removes nothing where something has failed, and says so", async (t) => {
  const { source, destination, to, from } = await overfull(t);
  // A directory in the place of a file gives way only to delete: with `existing: 'error'` nothing does.
  writeFileSync(from('clash'), '');
  writeFileSync(to('clash'), '');
  const options: CopyOptions = { update: true, existing: 'error', onError: 'continue' };
  const refused = await copyTree(source, destination, { ...options, delete: 'after' });
  assert.ok(refused.errorCount > 0);
  assert.deepEqual([refused.deleted, refused.deletionsSkipped, refused.exitCode], [0, true, 23]);
  assert.ok(existsSync(to('five')));
  assert.equal((await copyTree(source, destination, { ...options, delete: true })).deleted, 7);
});

for (const when of [true, 'before', 'after'] as const) {
  test(`delete: ${when} removes nothing where the source could not be listed`, async (t) => {
    if (!requireTool(t, 'strace')) return;
    const { source, destination, to, from } = pairIn(pair(t).base.concat('/source'), (path) => {
      mkdirSync(`${path}/unreadable`);
      writeFileSync(`${path}/unreadable/file`, 'precious');
    });
    await copyTree(source, destination);
    writeFileSync(to('unreadable', 'more'), '');
    const script = importable(`
      import { copyTree } from 'dirfd';
      const [source, destination] = process.argv.slice(1);
      const options = { delete: ${JSON.stringify(when)}, onError: 'continue', concurrency: 1 };
      const { errors, deleted } = await copyTree(source, destination, options);
      console.log(JSON.stringify([errors.map(({ path, error }) => path + ' ' + error.code), deleted]));`);
    const command = [process.execPath, '--input-type=module', '-e', script, '--', source, destination];
    const traced = strace(command, {
      inject: ['getdents64:error=EIO'],
      trace: [],
      paths: [from('unreadable')],
    });
    const [errors, deleted] = JSON.parse(traced.stdout) as [string[], number];
    assert.deepEqual([[...new Set(errors)], deleted], [['unreadable EIO'], 0], traced.stderr);
    assert.deepEqual(readdirSync(to('unreadable')).sort(), ['file', 'more']);
  });
}

test('maxDelete: trees beyond it stay whole, each a named error, and the rest of the copy is done', async (t) => {
  for (const when of [true, 'before', 'after'] as const) {
    for (const maxDelete of [0, 3]) {
      const { source, destination, to } = await overfull(t);
      const options: CopyOptions = { update: true, delete: when, maxDelete, onError: 'continue' };
      const dry = await copyTree(source, destination, { ...options, dryRun: true });
      const report = await copyTree(source, destination, options);
      assert.deepEqual([report.deleted, report.errorCount], [dry.deleted, dry.errorCount]);
      assert.deepEqual([report.deleted, report.exitCode, report.files], [maxDelete, 23, 1]);
      assert.ok(report.errors.every(({ error }) => error.code === 'ERR_DIRFD_DELETE_LIMIT'));
      assert.ok(report.errors.some(({ path }) => path === 'gone'));
      assert.deepEqual(readdirSync(to('gone')), ['deep', 'one']);
      const enough = await copyTree(source, destination, { ...options, maxDelete: 7 - maxDelete });
      assert.deepEqual([enough.deleted, enough.exitCode], [7 - maxDelete, 0]);
      assertSameTree(source, destination);
    }
  }
});

test('maxDelete counts a directory that would give way to a file', async (t) => {
  const { source, destination, from, to } = pair(t);
  writeFileSync(from('name'), '');
  mkdirSync(to('name', 'below'), { recursive: true });
  const options: CopyOptions = { delete: true, onError: 'continue' };
  const { errors } = await copyTree(source, destination, { ...options, maxDelete: 1 });
  assert.deepEqual(
    errors.map(({ path, error }) => `${path} ${error.code}`),
    ['name ERR_DIRFD_DELETE_LIMIT'],
  );
  assert.ok(existsSync(to('name', 'below')));
  assertComplete(await copyTree(source, destination, { ...options, maxDelete: 2 }));
  assertSameTree(source, destination);
});

test('what is not to be had is refused before anything is done', () => {
  for (const options of [{ delete: 'now' }, { maxDelete: -1 }, { maxDelete: 1.5 }]) {
    assert.throws(() => copyTree('.', 'x', options as CopyOptions), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
  }
});
