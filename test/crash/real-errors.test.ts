// What a full disk, a read-only mount, a lack of rights and of descriptors do to a copy: the real ones, made by the kernel. By either
// policy each failure names call, directory and name, nothing of the copy's own is left, and the next run completes.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { dirfd, jsonLines } from '../cli/run-command.js';
import { pair } from '../copy/pair.js';
import { run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { bindMount, mounted } from '../fixtures/mounts.js';
import { nobody, ordinaryDirectory, ordinaryUserCanRun, runAsOrdinaryUser } from '../fixtures/ordinary-user.js';
import { need, requireTool } from '../fixtures/tools.js';
import { everyByte } from '../fixtures/trees/plain.js';

const LARGE = 2 << 20;

function fill(source: string): void {
  mkdirSync(join(source, 'below'));
  writeFileSync(join(source, 'below/large'), everyByte(LARGE));
  writeFileSync(join(source, 'below/small'), 'small');
  writeFileSync(join(source, 'other'), 'other');
}

interface Told {
  readonly status: number | null;
  /** `CODE call path` of each failure, and the directory that it names. */
  readonly failures: readonly string[];
  readonly directories: readonly unknown[];
}

/** Runs the command and reads what it says of failures. */
function copied(args: readonly string[]): Told {
  const ran = dirfd(['copy', '--json', ...args]);
  const errors = jsonLines(ran.stdout).flatMap((line) => (line.type === 'error' ? [line] : []));
  assert.equal(errors.length > 0, ran.status === 23 || ran.status === 1, ran.stderr);
  return {
    status: ran.status,
    failures: errors.map(({ code, syscall, path }) => `${code} ${syscall} ${path}`),
    directories: errors.map(({ directory }) => directory),
  };
}

function assertNothingOfOurs(destination: string): void {
  const names = readdirSync(destination, { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    names.filter((name) => name.includes('.dirfd-')),
    [],
  );
}

/** Into a directory that is made, and into one that is there. */
function assertFullIsTold(t: TestContext, place: string, code: string, makeRoom: () => void): void {
  const { source } = pair(t, fill);
  for (const isThere of [false, true]) {
    const destination = join(place, isThere ? 'there' : 'new');
    if (isThere) mkdirSync(join(destination, 'below'), { recursive: true });
    const told = copied(['--reflink=never', source, destination]);
    assert.deepEqual([told.status, told.failures], [23, [`${code} pwrite below/large`]]);
    assert.deepEqual(told.directories, [destination]);
    assert.deepEqual(readdirSync(destination, { recursive: true }).sort(), ['below', 'below/small', 'other']);
    const stopped = copied(['--reflink=never', '--on-error=stop', '--update', source, destination]);
    assert.deepEqual([stopped.status, stopped.failures], [1, [`${code} pwrite below/large`]]);
    assertNothingOfOurs(destination);
  }
  makeRoom();
  for (const name of ['new', 'there']) {
    const destination = join(place, name);
    assert.deepEqual(copied(['--update', source, destination]).status, 0);
    assertSameTree(source, destination);
  }
}

test('a full file system: ENOSPC, and with room the next run completes', (t) => {
  const place = mounted(t, 'tmpfs', { megabytes: 1 });
  if (place === undefined) return;
  assertFullIsTold(t, place, 'ENOSPC', () => run('mount', ['-o', 'remount,size=16m', place]));
});

test('a read-only mount: EROFS for each entry, and once it is writable the next run completes', (t) => {
  const { base, source, destination, from } = pair(t, fill);
  const place = join(base, 'place');
  mkdirSync(destination);
  mkdirSync(place);
  assert.equal(copied([source, destination]).status, 0);
  writeFileSync(from('other'), 'changed');
  writeFileSync(from('below/new'), 'new');
  if (!bindMount(t, destination, place)) return;
  run('mount', ['-o', 'remount,bind,ro', place]);
  const told = copied(['--update', source, place]);
  assert.deepEqual([told.status, [...told.failures].sort()], [23, ['EROFS mkdirat below/new', 'EROFS mkdirat other']]);
  assert.equal(copied(['--update', '--on-error=stop', source, place]).status, 1);
  assert.equal(readFileSync(join(place, 'other'), 'utf8'), 'other');
  run('mount', ['-o', 'remount,bind,rw', place]);
  assert.equal(copied(['--update', source, place]).status, 0);
  assertSameTree(source, place);
});

/** As an ordinary user, whom permissions bind. Tells failures as `copied` does. */
const AS_USER = `
  import { copyTree } from 'dirfd';
  const [source, destination, onError] = process.argv.slice(1);
  const tell = ({ error, path }) => error.code + ' ' + error.syscall + ' ' + (path ?? error.path) + ' ' + error.directory;
  const outcome = await copyTree(source, destination, { onError, update: true, reflink: 'never', owner: false }).then(
    ({ errors, exitCode }) => [exitCode, errors.map(tell)],
    (error) => [1, [tell({ error })]],
  );
  console.log(JSON.stringify(outcome));`;

function asUser(home: string, source: string, destination: string, onError = 'continue'): unknown {
  const ran = runAsOrdinaryUser(home, AS_USER, [source, destination, onError]);
  assert.equal(ran.status, 0, ran.stderr);
  return JSON.parse(ran.stdout);
}

test('no descriptors left: EMFILE, and with some more the next run completes', (t) => {
  if (!ordinaryUserCanRun(t) || !requireTool(t, 'prlimit')) return;
  const home = ordinaryDirectory(t);
  const [source, destination] = [join(home, 'source'), join(home, 'copy')];
  mkdirSync(source);
  fill(source);
  const script = `
    import { execFileSync } from 'node:child_process';
    import { closeSync, openSync, readdirSync } from 'node:fs';
    import { copyTree } from 'dirfd';
    const copy = () => copyTree('source', 'copy', { onError: 'continue', update: true, owner: false });
    await copyTree('source', 'warm', { owner: false });
    const limit = readdirSync('/proc/self/fd').length + 12;
    execFileSync('prlimit', ['--nofile=' + limit + ':', '--pid', String(process.pid)]);
    const held = [];
    for (let got; got !== 'EMFILE'; ) {
      try { held.push(openSync('/dev/null')); } catch ({ code }) { got = code; }
    }
    const told = [];
    for (;;) {
      const { errorCount } = await copy().then((report) => {
        told.push(...report.errors.map(({ error }) => error));
        return report;
      }, (error) => (told.push(error), { errorCount: 1 }));
      if (errorCount === 0 || held.length === 0) break;
      closeSync(held.pop());
    }
    const { errorCount } = await copy();
    console.log(JSON.stringify([told.map(({ code, syscall }) => code + ' ' + syscall), errorCount]));`;
  const ran = runAsOrdinaryUser(home, script);
  assert.equal(ran.status, 0, ran.stderr);
  const [told, errorCount] = JSON.parse(ran.stdout) as [string[], number];
  assert.ok(told.length > 0 && told.every((line) => /^EMFILE (openat2?|open)$/.test(line)), ran.stdout);
  assert.equal(errorCount, 0);
  assertNothingOfOurs(destination);
  run('diff', ['-r', source, destination]);
});

test("a directory that is not the user's: EACCES, and with the right the next run completes", (t) => {
  if (!ordinaryUserCanRun(t)) return;
  const home = ordinaryDirectory(t);
  const [source, destination] = [join(home, 'source'), join(home, 'copy')];
  mkdirSync(source);
  fill(source);
  mkdirSync(join(destination, 'below'), { recursive: true });
  const isRoot = process.getuid?.() === 0;
  if (!need(t, isRoot, 'needs root, to make what is another user’s')) return;
  run('chown', [`${nobody.uid}:${nobody.gid}`, destination]);
  const calls = ['small', 'large'].map((name) => `EACCES mkdirat below/${name} ${destination}`);
  const [status, failures] = asUser(home, source, destination) as [number, string[]];
  assert.deepEqual([status, failures.filter((line) => !line.includes('utimensat')).sort()], [23, calls.sort()]);
  assert.equal(readFileSync(join(destination, 'other'), 'utf8'), 'other');
  run('chown', [`${nobody.uid}:${nobody.gid}`, join(destination, 'below')]);
  assert.deepEqual(asUser(home, source, destination), [0, []]);
  run('diff', ['-r', source, destination]);
});
