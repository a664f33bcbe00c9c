// flags and projectIds: kept on request, against lsattr; named where the file system has none; no call where nobody asks.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CopyOptions, type CopyReport, copyTree, verifyTree } from 'dirfd';
import { attempt, run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { type FileSystem, mounted } from '../fixtures/mounts.js';
import { countCalls } from '../fixtures/strace.js';
import { requireTool } from '../fixtures/tools.js';
import { traceScript } from '../fixtures/traced-script.js';
import { assertComplete, type Pair, pair, pairIn } from './pair.js';

const KEPT = /[suSiadAcmjtDTCx]/g;

/** `path letters`, of files and directories. */
function lsattr(root: string): string[] {
  const lines = run('lsattr', ['-aR', '.'], { cwd: root }).split('\n');
  const found = lines.flatMap((line) => {
    const [, letters, path] = /^(\S+)\s+(\.\S*)$/.exec(line) ?? [];
    return letters !== undefined && path !== undefined && !/\/\.\.?$/.test(path)
      ? [`${path} ${(letters.match(KEPT) ?? []).join('')}`]
      : [];
  });
  return found.sort();
}

function projects(root: string): string[] {
  const lines = run('lsattr', ['-apR', '.'], { cwd: root }).split('\n');
  return lines
    .flatMap((line) =>
      /^\s*\d+\s+\S+\s+\.\/[^.]\S*$/.test(line)
        ? [line.replace(/^\s*(\d+)\s+(\S+)/, (_, id, flags) => `${id} ${flags.includes('P')}`)]
        : [],
    )
    .sort();
}

function flagged(t: Parameters<typeof mounted>[0], type: FileSystem): Pair | undefined {
  if (!requireTool(t, 'chattr', 'lsattr')) return undefined;
  const place = mounted(t, type);
  if (place === undefined) return undefined;
  // Nothing else can remove what is immutable.
  t.after(() => void attempt('chattr', ['-R', '-ia', place]));
  const made = pairIn(place, (path) => {
    mkdirSync(join(path, 'immutable', 'below'), { recursive: true });
    mkdirSync(join(path, 'append'));
    for (const name of ['immutable/file', 'immutable/below/file', 'append/log', 'nodump', 'noatime', 'none', 'both']) {
      writeFileSync(join(path, name), name);
    }
    linkSync(join(path, 'both'), join(path, 'both-again'));
    linkSync(join(path, 'both'), join(path, 'immutable', 'both-far'));
  });
  const set = (letters: string, ...names: string[]) =>
    run('chattr', [letters, ...names.map((name) => made.from(name))]);
  set('+d', 'nodump');
  set('+A', 'noatime');
  set('+i', 'immutable/below/file', 'immutable/file', 'both');
  set('+a', 'append/log');
  set('+i', 'immutable');
  set('+a', 'append');
  return made;
}

for (const type of ['ext4', 'xfs', 'btrfs'] as const) {
  test(`flags are kept on ${type}, those that shut a file last; a second run has nothing to do`, async (t) => {
    const made = flagged(t, type);
    if (!made) return;
    const { source, destination, base } = made;
    const plain = await copyTree(source, `${base}/plain`);
    assertComplete(plain);
    assert.ok(
      lsattr(`${base}/plain`).every((line) => !/[iad]$/.test(line)),
      'not asked for, not kept',
    );
    assertComplete(await copyTree(source, destination, { flags: true }));
    assert.deepEqual(lsattr(destination), lsattr(source));
    assertSameTree(source, destination);
    const report = await verifyTree(source, destination, { flags: true });
    assert.deepEqual(report.differences, []);
    const again = await copyTree(source, destination, { flags: true, update: true });
    assert.deepEqual([again.files, again.updated, again.hardLinks], [0, 0, 0]);
    const without = await verifyTree(source, `${base}/plain`, { flags: true });
    assert.ok(without.differences.some(({ path, field, a }) => path === 'nodump' && field === 'flags' && a === 'd'));
  });
}

test('many names of an immutable file are linked by many threads', async (t) => {
  if (!requireTool(t, 'chattr', 'lsattr')) return;
  const place = mounted(t, 'ext4');
  if (place === undefined) return;
  t.after(() => void attempt('chattr', ['-R', '-i', place]));
  const { source, destination, from, to } = pairIn(place, (path) => {
    writeFileSync(join(path, 'first'), 'content');
    for (let directory = 0; directory < 20; directory++) {
      mkdirSync(join(path, `${directory}`));
      for (let name = 0; name < 20; name++) linkSync(join(path, 'first'), join(path, `${directory}/${name}`));
    }
  });
  run('chattr', ['+i', from('first')]);
  assertComplete(await copyTree(source, destination, { flags: true, concurrency: 8 }));
  assert.equal(statSync(to('first')).nlink, 401);
  assert.match(run('lsattr', [to('first')]), /^\S*i/);
});

test('what is immutable at the destination is brought in line where flags are kept, and is an error where they are not', async (t) => {
  const made = flagged(t, 'ext4');
  if (!made) return;
  const { source, destination, from } = made;
  await copyTree(source, destination, { flags: true });
  run('chattr', ['-i', from('immutable'), from('immutable', 'file'), from('none')]);
  writeFileSync(from('immutable', 'file'), 'changed and longer');
  writeFileSync(from('immutable', 'new'), 'new');
  run('chmod', ['0600', from('none')]);
  run('chattr', ['+i', from('immutable', 'file'), from('immutable')]);
  const refused = await copyTree(source, destination, { update: true, onError: 'continue' });
  assert.ok(refused.errorCount > 0 && refused.exitCode === 23);
  const options: CopyOptions = { flags: true, update: true, itemize: true };
  const lines: string[] = [];
  const job = copyTree(source, destination, { ...options, dryRun: true });
  for await (const event of job) if (event.type === 'entry') lines.push(`${event.changes} ${event.path}`);
  assert.ok(
    lines.some((line) => /^>f\.s\S+ immutable\/file$/.test(line)),
    lines.join('\n'),
  );
  assertComplete(await copyTree(source, destination, options));
  assertSameTree(source, destination);
  assert.deepEqual(lsattr(destination), lsattr(source));
});

test('a flag alone that differs is found, told as x, and set right', async (t) => {
  const made = flagged(t, 'ext4');
  if (!made) return;
  const { source, destination, from, to } = made;
  await copyTree(source, destination, { flags: true });
  run('chattr', ['+d', from('none')]);
  run('chattr', ['-i', to('immutable')]);
  const lines: string[] = [];
  for await (const event of copyTree(source, destination, { flags: true, update: true, itemize: true })) {
    if (event.type === 'entry') lines.push(`${event.changes} ${event.path}`);
  }
  assert.deepEqual(lines.sort(), ['.d........x immutable', '.f........x none']);
  assert.deepEqual(lsattr(destination), lsattr(source));
});

test('project ids and their inheritance are kept on request', async (t) => {
  if (!requireTool(t, 'chattr', 'lsattr')) return;
  const place = mounted(t, 'xfs');
  if (place === undefined) return;
  const { source, destination, from } = pairIn(place, (path) => {
    mkdirSync(join(path, 'project'));
    for (const name of ['project/file', 'plain']) writeFileSync(join(path, name), '');
  });
  if (attempt('chattr', ['-p', '4711', from('project/file')]).status !== 0)
    return t.skip('chattr sets no project here');
  run('chattr', ['-p', '4711', from('project')]);
  run('chattr', ['+P', from('project')]);
  assertComplete(await copyTree(source, destination, { projectIds: true }));
  assert.deepEqual(projects(destination), projects(source));
  assert.ok(projects(source).some((line) => line.startsWith('4711')));
  assert.deepEqual((await verifyTree(source, destination, { projectIds: true })).differences, []);
  const again = await copyTree(source, destination, { projectIds: true, update: true });
  assert.deepEqual([again.files, again.updated], [0, 0]);
});

test('flags and project ids that the destination does not have are named as not kept', async (t) => {
  const made = flagged(t, 'ext4');
  if (!made) return;
  const ramfs = join(made.base, 'ramfs');
  mkdirSync(ramfs);
  run('mount', ['-t', 'ramfs', 'ramfs', ramfs]);
  try {
    const report: CopyReport = await copyTree(made.source, `${ramfs}/copy`, { flags: true });
    const lost = report.notKept.map(({ path, what, attribute }) => `${path} ${what} ${attribute}`).sort();
    const expected = [
      'append flags a',
      'append/log flags a',
      'immutable flags i',
      'immutable/below/file flags i',
      'immutable/file flags i',
      'noatime flags A',
      'nodump flags d',
    ];
    assert.deepEqual(
      lost.filter((line) => !line.includes('both')),
      expected,
    );
    assert.equal(lost.length, expected.length + 1);
    assert.equal(report.exitCode, 23);
  } finally {
    run('umount', [ramfs]);
  }
});

test('without flags and projectIds a copy makes no ioctl for them, and with them no more than it must', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { source, base } = pair(t, (path) => {
    for (let index = 0; index < 50; index++) writeFileSync(join(path, `file-${index}`), 'x');
  });
  const ioctls = (options: string) => {
    const script = `
      import { copyTree } from 'dirfd';
      mark('begin');
      await copyTree(process.argv[1], process.argv[2], ${options});
      mark('end');
    `;
    return countCalls(traceScript(script, [source, `${base}/${options.length}`])).get('ioctl') ?? 0;
  };
  const without = ioctls('{ reflink: "never" }');
  assert.equal(without, 0);
  const withFlags = ioctls('{ reflink: "never", flags: true }');
  assert.ok(withFlags <= 51 * 4, `${withFlags} ioctls for 51 inodes`);
});
