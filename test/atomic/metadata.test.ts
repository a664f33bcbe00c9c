// What a new file keeps of the one it replaces, told by stat, getfacl and getfattr; and what it must not keep.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { chmodSync, chownSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { writeFileAtomic } from 'dirfd/atomic';
import { rejects, scratch } from '../dirfd/scratch.js';
import { attempt, run } from '../fixtures/command.js';
import { mounted } from '../fixtures/mounts.js';
import { importable, ordinaryDirectory, ordinaryUserCanRun, runAsOrdinaryUser } from '../fixtures/ordinary-user.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { requireRoot, requireTool } from '../fixtures/tools.js';

const facts = (path: string) => [
  run('stat', ['-c', '%a %u %g', path]),
  run('getfacl', ['--numeric', '--omit-header', '--absolute-names', path]),
  run('getfattr', ['--dump', '--absolute-names', '-m', '^user\\.', path]),
];

const atomic = new URL('dist/atomic/main.js', `file://${repositoryRoot}/`).href;

for (const disabled of ['', 'tmpfile', 'proc,xattrat,openat2']) {
  test(`owner, mode, ACL and attributes stay${disabled && `, without ${disabled}`}`, (t) => {
    if (!requireRoot(t) || !requireTool(t, 'setfacl', 'setfattr')) return;
    const place = mounted(t, 'ext4', { megabytes: 16 });
    if (!place) return;
    const file = join(place, 'file');
    writeFileSync(file, 'old');
    chmodSync(file, 0o640);
    chownSync(file, 1234, 4321);
    run('setfacl', ['-m', 'u:77:rw,g:88:r', file]);
    run('setfattr', ['-n', 'user.colour', '-v', 'blue', file]);
    run('setfacl', ['-d', '-m', 'u:99:rwx', place]);
    const before = facts(file);
    for (const durability of ['none', 'full']) {
      const script = `import { writeText } from '${atomic}';
        await writeText(${JSON.stringify(file)}, '${durability}', { durability: '${durability}' });`;
      const env = { ...process.env, DIRFD_DISABLE: disabled };
      run(process.execPath, ['--input-type=module', '-e', script], { env });
      assert.deepEqual(facts(file), before);
      assert.equal(readFileSync(file, 'utf8'), durability);
    }
    assert.deepEqual(readdirSync(place).sort(), ['file', 'lost+found']);
  });
}

describe('set-user-id and capabilities', () => {
  test('are not handed on to content that others have made', async (t) => {
    if (!requireRoot(t) || !requireTool(t, 'setcap', 'getcap')) return;
    const { path, directory } = await scratch(t);
    const file = join(path, 'file');
    writeFileSync(file, 'old');
    chmodSync(file, 0o6755);
    if (attempt('setcap', ['cap_net_raw=ep', file]).status !== 0) return t.skip('no capabilities here');
    await writeFileAtomic(directory, 'file', 'new');
    assert.equal(statSync(file).mode & 0o7777, 0o755);
    assert.equal(run('getcap', [file]), '');
  });
});

test('what a user may not keep fails, and with try is kept as far as possible and told', (t) => {
  if (!requireRoot(t) || !ordinaryUserCanRun(t)) return;
  const place = ordinaryDirectory(t);
  const file = join(place, 'file');
  writeFileSync(file, 'old', { mode: 0o664 });
  chmodSync(file, 0o664);
  const script = `
    import { writeText } from '${atomic}';
    const failed = await writeText('file', 'strict').catch((error) => error);
    const { notKept } = await writeText('file', 'new', { keepMetadata: 'try' });
    console.log(JSON.stringify([failed.name, failed.code, notKept.map(({ what }) => what)]));`;
  const ran = runAsOrdinaryUser(place, importable(script));
  assert.equal(ran.stdout, '["PermissionError","EPERM",["owner"]]\n', ran.stderr);
  assert.deepEqual([statSync(file).uid, statSync(file).mode & 0o777], [65534, 0o664]);
  assert.deepEqual(readdirSync(place), ['file']);
});

test('a full disk leaves the old file and no trace, for small and large content', async (t) => {
  const place = mounted(t, 'tmpfs', { megabytes: 4 });
  if (!place) return;
  const file = join(place, 'file');
  writeFileSync(file, Buffer.alloc(2 ** 21, 'o'));
  const { DirectoryFd } = await import('dirfd');
  await using directory = await DirectoryFd.open(place);
  for (const size of [3 * 2 ** 20, 2 ** 20]) {
    writeFileSync(join(place, 'filler'), Buffer.alloc(2 ** 20 + 2 ** 19));
    await rejects(writeFileAtomic(directory, 'file', Buffer.alloc(size)), 'ENOSPC');
    assert.deepEqual(readFileSync(file), Buffer.alloc(2 ** 21, 'o'));
    assert.deepEqual(readdirSync(place).sort(), ['file', 'filler']);
  }
});
