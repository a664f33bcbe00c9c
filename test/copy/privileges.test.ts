// Who gets what: modes and owners while a copy is under way, and what an ordinary user is told.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { copyTree } from 'dirfd';
import { run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import {
  importable,
  nobody,
  ordinaryDirectory,
  ordinaryUserCanRun,
  runAsOrdinaryUser,
} from '../fixtures/ordinary-user.js';
import { type SyscallEvent, strace } from '../fixtures/strace.js';
import { findTool, isRoot, requireRoot, requireTool } from '../fixtures/tools.js';
import { metadata, modes, names, plain } from '../fixtures/trees.js';
import { pair } from './pair.js';

const copyScript = `
  import { copyTree } from 'dirfd';
  const report = await copyTree(process.argv[1], process.argv[2], { onError: 'continue' });
  const errors = report.errors.map(({ error }) => [error.code, error.syscall, error.directory, error.path]).sort();
  const notKept = report.notKept.map(({ path, what, code }) => [path, what, code].join(' ')).sort();
  console.log(JSON.stringify({ exitCode: report.exitCode, errors, notKept }));`;

const creates = /^(openat|openat2|mkdirat|mknodat)$/;

/**
 * Asserts of every create that it opens nothing that is there, and that its mode is a subset of 0700; or, without special bits, that of the
 * source where nobody else can come: in a directory of the copy's own making, as all are but a destination that was there. Answers the calls
 * that named something at the destination.
 */
function assertMadePrivately(
  events: readonly SyscallEvent[],
  destination: string,
  kind: 'new' | 'existing',
  atLeast: number,
): SyscallEvent[] {
  const below = events.filter(({ args, result }) => result >= 0 && args.some((arg) => arg.includes(destination)));
  const made = below.filter(
    ({ call, args }) => creates.test(call) && (call !== 'openat' || /O_CREAT/.test(args[2] ?? '')),
  );
  assert.ok(made.length >= atLeast, `${made.length} made`);
  for (const event of made) {
    const place = event.args[0] ?? '';
    const isPrivate = place.includes(`${destination}/`) || (kind === 'new' && place.includes(destination));
    assert.equal(modeOf(event) & (isPrivate ? 0o7000 : 0o7077), 0, `${event.call} ${event.args.join()}`);
    if (event.call === 'openat') assert.match(event.args[2] ?? '', /O_EXCL/, event.args.join());
  }
  return below;
}

function modeOf({ args }: SyscallEvent): number {
  return Number.parseInt(args.at(-1) ?? '', 8) || 0;
}

for (const kind of ['new', 'existing'] as const) {
  test(`in a ${kind} destination, set-user-id comes after the owner, and nothing is open to others before`, (t) => {
    if (!requireRoot(t) || !requireTool(t, 'strace', 'setcap')) return;
    const { source, destination, from } = pair(t);
    if (kind === 'existing') mkdirSync(destination);
    mkdirSync(from('directory'));
    for (const name of ['tool', 'directory/tool']) {
      writeFileSync(from(name), '#!/bin/sh\n');
      chownSync(from(name), 12345, 54321);
      chmodSync(from(name), 0o6755);
    }
    writeFileSync(from('ordinary'), '', { mode: 0o644 });
    writeFileSync(from('capable'), '');
    chownSync(from('capable'), 12345, 54321);
    run(findTool('setcap') as string, ['cap_net_raw=ep', from('capable')]);
    const script = importable(copyScript);
    const command = [process.execPath, '--input-type=module', '-e', script, '--', source, destination];
    const trace = ['openat', 'mkdirat', 'mknodat', 'fchown', 'fchownat', 'fchmod', 'fsetxattr'];
    const { events, stdout, stderr } = strace(command, { trace });
    assert.deepEqual(JSON.parse(stdout || '{}').notKept, [], stderr);
    assertSameTree(source, destination);

    const below = assertMadePrivately(events, destination, kind, 5);
    // By the descriptor's path, which is that of the file: its owner first, then its mode or capability.
    const owned = new Set<string>();
    let special = 0;
    for (const { call, args } of below) {
      const subject = args[0] ?? '';
      if (call === 'fchown' || (call === 'fchownat' && args[1] === '""')) owned.add(subject);
      const grants =
        (call === 'fchmod' && Number.parseInt(args[1] ?? '', 8) > 0o777) || /capability/.test(args[1] ?? '');
      if (!grants) continue;
      special++;
      assert.ok(owned.has(subject), `${call}(${args.join()}) before fchown`);
    }
    assert.equal(special, 3);
  });
}

test('where somebody puts a directory of theirs in the place of one that was just made, nothing is written to it', async (t) => {
  if (!requireRoot(t) || !requireTool(t, 'strace')) return;
  const { source, destination, from, to } = pair(t);
  mkdirSync(from('directory'));
  writeFileSync(from('directory', 'file'), 'content');
  mkdirSync(destination);
  // Time between the directory's creation and the next look at it.
  const tracing = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=mkdirat', '-e', 'inject=mkdirat:delay_exit=400000'];
  const command = [process.execPath, '--input-type=module', '-e', importable(copyScript), '--', source, destination];
  const copying = promisify(execFile)('strace', [...tracing, '--', ...command]);
  while (!existsSync(to('directory'))) await sleep(5);
  renameSync(to('directory'), to('ours'));
  mkdirSync(to('directory'));
  chownSync(to('directory'), 12345, 12345);
  const { errors } = JSON.parse((await copying).stdout) as { readonly errors: readonly (readonly string[])[] };
  assert.deepEqual(
    errors.map(([code]) => code),
    ['ERR_DIRFD_CHANGED'],
  );
  for (const name of ['directory', 'ours']) assert.deepEqual(readdirSync(to(name)), []);
  assert.equal(statSync(to('directory')).uid, 12345);
});

test('a capability is not given to a copy that has another owner', async (t) => {
  if (!requireRoot(t) || !requireTool(t, 'setcap', 'getcap')) return;
  const { source, destination, from, to } = pair(t);
  for (const [name, owner] of Object.entries({ ours: 0, theirs: 12345 })) {
    writeFileSync(from(name), '');
    chownSync(from(name), owner, owner);
    run(findTool('setcap') as string, ['cap_net_raw=ep', from(name)]);
  }
  const { notKept } = await copyTree(source, destination, { owner: false });
  const lost = notKept.map(({ path, what, code }) => [path, what, code].join(' '));
  assert.deepEqual(lost, ['theirs capability EPERM']);
  const getcap = (name: string): string => run(findTool('getcap') as string, [to(name)]);
  assert.match(getcap('ours'), /cap_net_raw/);
  assert.equal(getcap('theirs'), '');
});

for (const kind of ['new', 'existing'] as const) {
  test(`of a tree with all kinds of entries, modes and owners, a ${kind} destination shows nothing too early`, (t) => {
    if (!requireRoot(t) || !requireTool(t, 'strace', 'setcap', 'setfacl', 'setfattr')) return;
    const { source, destination, from } = pair(t);
    for (const [name, fill] of Object.entries({ plain, names, modes, metadata })) {
      mkdirSync(from(name));
      fill(from(name));
    }
    if (kind === 'existing') mkdirSync(destination);
    const command = [process.execPath, '--input-type=module', '-e', importable(copyScript), '--', source, destination];
    const trace = ['openat', 'mkdirat', 'mknodat', 'fchmod'];
    const { events, stderr, stdout } = strace(command, { trace });
    assert.deepEqual(JSON.parse(stdout || '{}').errors, [], stderr);
    assertMadePrivately(events, destination, kind, 200);
    // No directory is opened up to others before everything in it is done: by then its mode is the last thing that is set.
    const opened = new Set<string>();
    for (const { call, args, result } of events) {
      if (result < 0) continue;
      const place = /<(.*)>$/.exec(args[0] ?? '')?.[1] ?? '';
      if (!place.startsWith(destination)) continue;
      if (call === 'fchmod' && (Number.parseInt(args[1] ?? '', 8) & 0o077) !== 0) opened.add(place);
      if (creates.test(call) && (call !== 'openat' || /O_CREAT/.test(args[2] ?? ''))) {
        assert.ok(!opened.has(place), `${call}(${args.join()}) after the directory was opened up`);
      }
    }
    assertSameTree(source, destination);
  });
}

test("an ordinary user's own tree is copied whole", (t) => {
  if (!ordinaryUserCanRun(t)) return;
  const directory = ordinaryDirectory(t);
  const [source, destination] = [join(directory, 'source'), join(directory, 'copy')];
  for (const [name, fill] of Object.entries({ plain, names })) {
    mkdirSync(join(source, name), { recursive: true });
    fill(join(source, name));
  }
  for (const mode of [0o500, 0o555, 0o711, 0o1777]) {
    const path = join(source, `mode-${mode.toString(8)}`);
    mkdirSync(join(path, 'inner'), { recursive: true });
    writeFileSync(join(path, 'file'), '', { mode: 0o400 });
    chmodSync(path, mode);
  }
  if (isRoot()) run('chown', ['-Rh', `${nobody.uid}:${nobody.gid}`, source]);
  for (const again of ['first', 'second']) {
    const { stdout, stderr } = runAsOrdinaryUser(directory, copyScript, [source, destination]);
    const { errors, notKept } = JSON.parse(stdout || '{}');
    assert.deepEqual([errors, notKept], [[], []], `${again}: ${stderr}`);
    assertSameTree(source, destination);
  }
});

test("an ordinary user's copy of root's tree: owners and set-user-id not kept, the unreadable named, the rest exact", (t) => {
  if (!requireRoot(t) || !requireTool(t, 'setfattr') || !ordinaryUserCanRun(t)) return;
  const directory = ordinaryDirectory(t);
  const { source, from } = pair(t, plain);
  chmodSync(join(source, '..'), 0o755);
  writeFileSync(from('setuid'), '');
  chmodSync(from('setuid'), 0o4755);
  writeFileSync(from('setgid'), '');
  chmodSync(from('setgid'), 0o2755);
  run('setfattr', ['-n', 'user.text', '-v', 'value', from('readme.md')]);
  cpSync(source, join(directory, 'expected'), { recursive: true });
  writeFileSync(from('secret'), '', { mode: 0o600 });
  mkdirSync(from('shut'), { mode: 0o700 });
  const destination = join(directory, 'copy');
  const { stdout, stderr } = runAsOrdinaryUser(directory, copyScript, [source, destination]);
  const { exitCode, errors, notKept } = JSON.parse(stdout || '{}') as {
    readonly exitCode: number;
    readonly errors: readonly string[][];
    readonly notKept: readonly string[];
  };
  assert.equal(exitCode, 23, stderr);
  assert.deepEqual(errors, [
    ['EACCES', 'openat', source, 'secret'],
    ['EACCES', errors[1]?.[1], source, 'shut'],
  ]);
  assert.match(errors[1]?.[1] ?? '', /^openat2?$/);
  for (const lost of ['setuid mode EPERM', 'setgid mode EPERM', 'setuid owner EPERM', 'a/two.bin owner EPERM']) {
    assert.ok(notKept.includes(lost), `${lost} is not in ${notKept.join(', ')}`);
  }
  for (const name of ['setuid', 'setgid']) assert.equal(statSync(join(destination, name)).mode & 0o7777, 0o755);
  for (const name of ['secret', 'shut', 'setuid', 'setgid']) {
    run('rm', ['-rf', from(name), join(destination, name)]);
  }
  run('chown', ['-Rh', '0:0', destination]);
  // What was deleted here has changed the time of the roots.
  run('touch', ['-d', '@1000000000', source, destination]);
  assertSameTree(source, destination);
});
