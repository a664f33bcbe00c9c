// Onto file systems that cannot hold all that the source has, and by users who may not set it: what is lost is named, entry by entry, with exit code
// 23; and what is not named is there, as the fixtures' own inventory and getfattr say.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CopyReport, copyTree } from 'dirfd';
import { attempt, run } from '../fixtures/command.js';
import { xattrDifferences } from '../fixtures/compare.js';
import { differences, inventory } from '../fixtures/inventory.js';
import { mounted } from '../fixtures/mounts.js';
import { importable } from '../fixtures/ordinary-user.js';
import { need, requireRoot, requireTool } from '../fixtures/tools.js';
import { metadata } from '../fixtures/trees.js';
import { pair } from './pair.js';

type Lost = Pick<CopyReport['notKept'][number], 'path' | 'what' | 'attribute'>;

/** The facts of an inventory that each kind of loss explains. */
const FACTS: Readonly<Record<string, RegExp>> = {
  owner: /: (owner|mode): /,
  mode: /: mode: /,
  acl: /: mode: /,
  times: /: mtimeNs: /,
  'hard-link': /: sameAs: /,
};

/** Differences that the report does not explain. */
function unexplained(source: string, destination: string, lost: readonly Lost[], unread: readonly string[]): string[] {
  const had = inventory(source);
  // What a file loses is named once, under the name that was copied first.
  const file = (path: string): string => had.get(path)?.sameAs ?? path;
  const by = new Map<string, Set<string>>();
  for (const { path, what } of lost) {
    const at = file(path || '.');
    by.set(at, (by.get(at) ?? new Set()).add(what));
  }
  const isExplained = (line: string): boolean => {
    const path = JSON.parse(line.slice(0, line.indexOf('": ') + 1)) as string;
    if (unread.some((at) => path === at || path.startsWith(`${at}/`))) return true;
    return [...(by.get(file(path)) ?? [])].some((what) => FACTS[what]?.test(line) === true);
  };
  return differences(had, inventory(destination)).filter((line) => !isExplained(line));
}

const kinds = (lost: readonly Lost[]): string[] => [...new Set(lost.map(({ what }) => what))].sort();

test('onto ramfs, which has neither attributes nor ACLs nor capabilities, each is named and all else is kept', async (t) => {
  if (!requireRoot(t) || !requireTool(t, 'setfattr', 'setfacl', 'setcap')) return;
  const { source, base } = pair(t, (path) => void metadata(path));
  const place = join(base, 'ramfs');
  mkdirSync(place);
  run('mount', ['-t', 'ramfs', 'ramfs', place]);
  try {
    const report = await copyTree(source, join(place, 'copy'), { onError: 'continue' });
    assert.deepEqual([report.errors, report.exitCode], [[], 23]);
    assert.deepEqual(kinds(report.notKept.filter(({ what }) => what !== 'xattr')), ['acl', 'capability']);
    assert.ok(report.notKept.every(({ code, message }) => code === 'ENOTSUP' && message.includes('setxattr')));
    // One line an attribute that getfattr misses, and no more.
    const missed = xattrDifferences(source, join(place, 'copy')).flatMap((line) => {
      const [, path, name] = /^xattr lost: (.*): ([^:=]+)=/.exec(line) ?? [];
      // xfs shows root its ACLs twice.
      return name?.startsWith('trusted.SGI_ACL_') ? [] : [`${path} ${name}`];
    });
    const named = report.notKept.map(({ path, attribute }) => `${path} ${attribute}`);
    assert.deepEqual(named.sort(), missed.sort());
    const holes = (line: string) => !line.includes(': allocated: ');
    assert.deepEqual(unexplained(source, join(place, 'copy'), report.notKept, []).filter(holes), []);
  } finally {
    run('umount', [place]);
  }
});

test('onto an ext4 of whole seconds that end in 2038, each time that is not kept is named', async (t) => {
  if (!requireRoot(t)) return;
  const { source } = pair(t, (path) => void metadata(path));
  const place = mounted(t, 'ext4', { mkfs: ['-I', '128'] });
  if (place === undefined) return;
  const report = await copyTree(source, `${place}/copy`, { onError: 'continue' });
  assert.deepEqual([report.errors, report.exitCode], [[], 23]);
  assert.deepEqual(kinds(report.notKept.filter(({ what }) => what !== 'xattr')), ['times']);
  const late = report.notKept.filter(({ path }) => path.startsWith('times/')).map(({ path }) => path);
  for (const name of ['with-nanoseconds', 'before-1970', 'beyond-2038']) {
    for (const kind of ['', '-directory', '-link']) assert.ok(late.includes(`times/${name}${kind}`), `${name}${kind}`);
  }
  assert.ok(!late.some((path) => path.startsWith('times/epoch')), 'whole seconds are kept');
  assert.ok(report.notKept.every(({ what, code }) => what !== 'times' || code === 'ERANGE'));
  assert.deepEqual(unexplained(source, `${place}/copy`, report.notKept, []), []);
});

test('in a user namespace that knows one user, other owners are named, and nothing else is lost', (t) => {
  if (!requireRoot(t) || !requireTool(t, 'unshare')) return;
  if (!need(t, attempt('unshare', ['-Ur', 'true']).status === 0, 'needs user namespaces')) return;
  const { source, destination } = pair(t, (path) => void metadata(path));
  const script = importable(`
    import { copyTree } from 'dirfd';
    const [source, destination] = process.argv.slice(1);
    const report = await copyTree(source, destination, { onError: 'continue' });
    const { errors, notKept, exitCode } = report;
    console.log(JSON.stringify({ errors: errors.map(({ path, error }) => ({ path, code: error.code })), notKept, exitCode }));`);
  const command = [process.execPath, '--input-type=module', '-e', script, '--', source, destination];
  const { stdout, stderr } = attempt('unshare', ['-Ur', ...command]);
  const report = JSON.parse(stdout || assert.fail(stderr)) as Pick<CopyReport, 'notKept' | 'exitCode'> & {
    errors: { path: string; code: string }[];
  };
  assert.equal(report.exitCode, 23);
  // Devices cannot be made there; what other users have shut cannot be read.
  const unmade = report.errors.map(({ path }) => path);
  assert.ok(unmade.includes('special/null') && unmade.includes('special/loop'), unmade.join());
  const owners = report.notKept.filter(({ what }) => what === 'owner').map(({ path }) => path);
  for (const name of ['plain', 'setuid', 'directory', 'link']) assert.ok(owners.includes(`owners/${name}`), name);
  const setuid = report.notKept.filter(({ path }) => path === 'owners/setuid').map(({ what }) => what);
  assert.deepEqual(setuid, ['owner', 'mode'], 'no set-user-id bit without its owner');
  assert.deepEqual(unexplained(source, destination, report.notKept, unmade), []);
});
