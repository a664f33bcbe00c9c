// ownerMap and chmod: what a copy has in the place of its source's owners and modes, against rsync's own answers.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type CopyOptions, copyTree, verifyTree } from 'dirfd';
import * as fc from 'fast-check';
import { run } from '../fixtures/command.js';
import { requireRoot, requireTool } from '../fixtures/tools.js';
import { assertComplete, type Pair, pair } from './pair.js';

const runs = Number(process.env.DIRFD_TEST_RUNS ?? 15);
const MODES = [0o000, 0o400, 0o640, 0o644, 0o700, 0o755, 0o777, 0o1777, 0o2755, 0o4755, 0o6711];

function modes({ from }: Pair): void {
  for (const mode of MODES) {
    writeFileSync(from(`file-${mode.toString(8)}`), '');
    chmodSync(from(`file-${mode.toString(8)}`), mode);
    mkdirSync(from(`directory-${mode.toString(8)}`));
    chmodSync(from(`directory-${mode.toString(8)}`), mode);
  }
  symlinkSync('nowhere', from('link'));
}

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);
const ownerOf = (path: string): string => {
  const { uid, gid } = lstatSync(path);
  return `${uid}:${gid}`;
};

const who = fc.array(fc.constantFrom('u', 'g', 'o', 'a'), { maxLength: 2 }).map((letters) => letters.join(''));
const what = fc.uniqueArray(fc.constantFrom('r', 'w', 'x', 'X'), { maxLength: 3 }).map((letters) => letters.join(''));
const rule = fc.oneof(
  fc.tuple(fc.constantFrom('', 'D', 'F'), who, fc.constantFrom('+', '-', '='), what).map((parts) => parts.join('')),
  fc.tuple(fc.constantFrom('D', 'F'), fc.constantFrom('755', '2770', '644', '0600')).map((parts) => parts.join('')),
  fc.constantFrom('u+s', 'g-s', 'o+t', 'Fug-s', 'Dg+s', 'a-t'),
);
const rules = fc.array(rule, { minLength: 1, maxLength: 3 }).map((list) => list.join(','));

test('chmod makes of any mode what rsync --chmod makes of it, and a second run has nothing to do', async (t) => {
  if (!requireRoot(t) || !requireTool(t, 'rsync')) return;
  const made = pair(t);
  modes(made);
  const { source, base, from } = made;
  const names = run('find', [source, '-mindepth', '1', '-printf', '%P\\n']).trim().split('\n');
  let round = 0;
  const property = fc.asyncProperty(rules, async (chmod) => {
    const [ours, theirs] = [`${base}/ours-${++round}`, `${base}/theirs-${round}`];
    assertComplete(await copyTree(source, ours, { chmod }));
    run('rsync', ['-aHAX', `--chmod=${chmod}`, `${source}/`, `${theirs}/`]);
    const answer = (root: string) => names.map((name) => `${name} ${modeOf(`${root}/${name}`)}`);
    assert.deepEqual(answer(ours), answer(theirs), chmod);
    const options: CopyOptions = { chmod, update: true, itemize: true };
    const events: unknown[] = [];
    for await (const event of copyTree(source, ours, options)) events.push(event);
    assert.deepEqual(events, []);
    assert.deepEqual((await verifyTree(source, ours, { chmod })).differences, []);
  });
  await fc.assert(property, { numRuns: runs });
  assert.equal(modeOf(from('file-4755')), '4755');
});

test('chmod of a file with an ACL: the mask follows, as chmod has it, and update agrees', async (t) => {
  if (!requireTool(t, 'setfacl', 'getfacl')) return;
  const { source, destination, from, to } = pair(t);
  writeFileSync(from('file'), '');
  run('setfacl', ['-m', 'u:12345:rwx,g::r,m::rwx', from('file')]);
  const chmod = 'g-w,o=r';
  assertComplete(await copyTree(source, destination, { chmod }));
  run('chmod', ['g-w,o=r', from('file')]);
  const acl = (path: string) => run('getfacl', ['-cpn', path]);
  assert.equal(acl(to('file')), acl(from('file')));
  run('setfacl', ['-m', 'm::rwx,o::-', from('file')]);
  const again = await copyTree(source, destination, { chmod, update: true });
  assert.deepEqual([again.updated, again.files], [0, 0]);
});

test('ownerMap gives ids others, in ACLs too; what no key names stays', async (t) => {
  if (!requireRoot(t) || !requireTool(t, 'setfacl', 'getfacl')) return;
  const { source, destination, from, to } = pair(t);
  for (const [name, owner] of Object.entries({ one: '1001:1001', range: '1500:1600', other: '7:8' })) {
    writeFileSync(from(name), '');
    run('chown', [owner, from(name)]);
  }
  symlinkSync('one', from('link'));
  run('chown', ['-h', '1001:1001', from('link')]);
  run('setfacl', ['-m', 'u:1001:r,g:1600:w', from('other')]);
  const ownerMap = { users: { 1001: 2001, '1000-1999': 3000 }, groups: { 1001: 2002, '1600': 2600 } };
  assertComplete(await copyTree(source, destination, { ownerMap }));
  const owners = ['one', 'range', 'other', 'link'].map((name) => ownerOf(to(name)));
  assert.deepEqual(owners, ['2001:2002', '3000:2600', '7:8', '2001:2002']);
  const named = run('getfacl', ['-cpn', to('other')]);
  assert.match(named, /user:2001:r--/);
  assert.match(named, /group:2600:-w-/);
  const again = await copyTree(source, destination, { ownerMap, update: true });
  assert.deepEqual([again.updated, again.files, again.symlinks], [0, 0, 0]);
  assert.deepEqual((await verifyTree(source, destination, { ownerMap })).differences, []);
  assert.ok((await verifyTree(source, destination)).differenceCount > 0);
  // Somebody else's owner is found and set right under the same map.
  run('chown', ['1001:1001', to('one')]);
  assert.equal((await copyTree(source, destination, { ownerMap, update: true })).updated, 1);
  assert.equal(ownerOf(to('one')), '2001:2002');
});

test('set-user-id bits go where files are gathered under another owner, and stay where one goes by another number', async (t) => {
  if (!requireRoot(t)) return;
  const { source, base, from } = pair(t);
  writeFileSync(from('setuid'), '');
  run('chown', ['1001:1001', from('setuid')]);
  chmodSync(from('setuid'), 0o6755);
  const made = async (options: CopyOptions): Promise<string> => {
    const destination = `${base}/${JSON.stringify(options).replaceAll('/', '')}`;
    assertComplete(await copyTree(source, destination, options));
    const again = await copyTree(source, destination, { ...options, update: true });
    assert.deepEqual([again.updated, again.files], [0, 0], 'a second run has nothing to do');
    return `${ownerOf(`${destination}/setuid`)} ${modeOf(`${destination}/setuid`)}`;
  };
  assert.equal(await made({ ownerMap: { users: { 1001: 2001 } } }), '2001:1001 6755');
  assert.equal(await made({ ownerMap: { users: { '*': 0 } } }), '0:1001 2755');
  assert.equal(await made({ ownerMap: { users: { '*': 0 }, groups: { '0-5000': 0 } } }), '0:0 755');
  assert.equal(await made({ ownerMap: { users: { '*': 1001 } } }), '1001:1001 6755');
  // Whoever wants the bit says so.
  assert.equal(await made({ ownerMap: { users: { '*': 0 } }, chmod: 'u+s' }), '0:1001 6755');
});

test('an ordinary user who maps owners is told what was not kept, and no set-user-id bit is lent', async (t) => {
  const { source, destination, from, to } = pair(t);
  writeFileSync(from('setuid'), '');
  chmodSync(from('setuid'), 0o4755);
  const stranger = { users: { [String(process.getuid?.())]: 54321 } };
  const report = await copyTree(source, destination, { ownerMap: stranger });
  if (process.getuid?.() === 0) return assertComplete(report);
  const lost = report.notKept.filter(({ path }) => path === 'setuid').map(({ what }) => what);
  assert.deepEqual(lost, ['owner', 'mode']);
  assert.deepEqual([modeOf(to('setuid')), report.exitCode], ['755', 23]);
});

test('rules that make no sense are refused before anything is done', () => {
  const wrong: CopyOptions[] = [
    { chmod: 'u+q' },
    { chmod: '' },
    { chmod: 'D99' },
    { ownerMap: { users: { x: 1 } } },
    { ownerMap: { users: { '5-4': 1 } } },
    { ownerMap: { groups: { 1: -1 } } },
    { ownerMap: { groups: { 1: 2 ** 32 - 1 } } },
    { ownerMap: { users: { 1: 1 } }, owner: false },
  ];
  for (const options of wrong) {
    assert.throws(() => copyTree('.', 'x', options), { code: 'ERR_DIRFD_INVALID_ARGUMENT' }, JSON.stringify(options));
  }
});
