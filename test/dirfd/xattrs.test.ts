// Extended attributes, by name and by descriptor.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { DirectoryFd } from 'dirfd';
import { attempt } from '../fixtures/command.js';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { isDisabled } from '../fixtures/fallbacks.js';
import { isRoot, need } from '../fixtures/tools.js';
import { rejects, scratch } from './scratch.js';

expectNoLeaks();

/** tmpfs has user xattrs since Linux 6.6 only. */
async function supported(t: TestContext, directory: DirectoryFd): Promise<boolean> {
  const refused = await directory.setxattr('.', 'user.probe', '').then(
    () => undefined,
    (error) => error,
  );
  if (refused === undefined) await directory.removexattr('.', 'user.probe');
  return need(t, refused === undefined, `needs user xattrs: ${refused?.message}`);
}

test('an attribute is set, read, listed and removed, by name and by descriptor', async (t) => {
  const { path, directory } = await scratch(t);
  if (!(await supported(t, directory))) return;
  writeFileSync(join(path, 'file'), '');
  mkdirSync(join(path, 'directory'));
  await using file = await directory.openFile('file', 'r+');
  for (const name of ['file', 'directory', '.']) {
    await directory.setxattr(name, 'user.text', 'välue');
    await directory.setxattr(name, 'user.bytes', Buffer.from([0, 255, 10]));
    await directory.setxattr(name, 'user.empty', '');
    assert.equal((await directory.getxattr(name, 'user.text')).toString(), 'välue');
    assert.deepEqual(await directory.getxattr(name, 'user.bytes'), Buffer.from([0, 255, 10]));
    assert.equal((await directory.getxattr(name, 'user.empty')).length, 0);
    const names = (await directory.listxattr(name)).filter((each) => each.startsWith('user.')).sort();
    assert.deepEqual(names, ['user.bytes', 'user.empty', 'user.text']);
    await directory.removexattr(name, 'user.bytes');
    await rejects(directory.getxattr(name, 'user.bytes'), { code: 'ENODATA', syscall: 'getxattr', path: name });
  }
  assert.deepEqual(await file.getxattr('user.text'), Buffer.from('välue'));
  await file.setxattr('user.text', 'new');
  await file.removexattr('user.empty');
  assert.deepEqual(
    (await file.listxattr()).filter((each) => each.startsWith('user.')),
    ['user.text'],
  );
  assert.deepEqual(await directory.getxattr('file', 'user.text'), Buffer.from('new'));
  assert.match(attempt('getfattr', ['-d', join(path, 'file')]).stdout, /user.text="new"/);
});

test('create refuses what exists, replace what does not', async (t) => {
  const { directory } = await scratch(t);
  if (!(await supported(t, directory))) return;
  await directory.writeFile('file', '');
  await rejects(directory.setxattr('file', 'user.a', '1', { replace: true }), { code: 'ENODATA', syscall: 'setxattr' });
  await directory.setxattr('file', 'user.a', '1', { create: true });
  await rejects(directory.setxattr('file', 'user.a', '2', { create: true }), 'EEXIST');
  await directory.setxattr('file', 'user.a', '2', { replace: true });
  assert.equal(String(await directory.getxattr('file', 'user.a')), '2');
  await rejects(
    directory.setxattr('file', 'user.a', '3', { create: true, replace: true }),
    'ERR_DIRFD_INVALID_ARGUMENT',
  );
});

test('values and lists longer than the first buffer are read whole', async (t) => {
  const { directory } = await scratch(t);
  if (!(await supported(t, directory))) return;
  await directory.writeFile('file', '');
  const value = Buffer.alloc(2000, 'v');
  await directory.setxattr('file', 'user.long', value);
  assert.deepEqual(await directory.getxattr('file', 'user.long'), value);
  const names = Array.from({ length: 12 }, (_, index) => `user.${'n'.repeat(100)}${index}`);
  for (const name of names) await directory.setxattr('file', name, '');
  const listed = (await directory.listxattr('file')).filter((name) => name.startsWith('user.n'));
  assert.deepEqual(listed.sort(), names.sort());
});

test('a symlink and a FIFO have attributes of their own; nothing is followed or opened', async (t) => {
  const { path, directory } = await scratch(t);
  if (!(await supported(t, directory))) return;
  await directory.writeFile('target', '');
  await directory.setxattr('target', 'user.on-target', 'x');
  symlinkSync('target', join(path, 'link'));
  await directory.mkfifo('fifo');
  if (isDisabled('proc') && isDisabled('xattrat')) {
    // Only what may be opened is left (native/binding/verbs_xattr.cpp).
    await rejects(directory.listxattr('fifo'), 'ERR_DIRFD_UNSUPPORTED');
    await rejects(directory.listxattr('link'), 'ERR_DIRFD_UNSUPPORTED');
    return;
  }
  assert.ok(!(await directory.listxattr('link')).includes('user.on-target'));
  await rejects(directory.getxattr('link', 'user.on-target'), isRoot() ? 'ENODATA' : {});
  // User attributes exist on files and directories only (xattr(7)).
  await rejects(directory.setxattr('link', 'user.x', '1'), 'EPERM');
  await rejects(directory.setxattr('fifo', 'user.x', '1'), 'EPERM');
  if (!isRoot()) return;
  await directory.setxattr('link', 'trusted.x', '1');
  await directory.setxattr('fifo', 'trusted.x', '2');
  assert.equal(String(await directory.getxattr('link', 'trusted.x')), '1');
  assert.ok((await directory.listxattr('fifo')).includes('trusted.x'));
  assert.ok(!(await directory.listxattr('target')).includes('trusted.x'));
});

test('what is no attribute is refused', async (t) => {
  const { directory } = await scratch(t);
  if (!(await supported(t, directory))) return;
  await directory.writeFile('file', '');
  await rejects(directory.setxattr('file', 'user.nul\0', ''), 'ERR_DIRFD_INVALID_PATH');
  await rejects(directory.setxattr('file', 5 as unknown as string, ''), 'ERR_DIRFD_INVALID_PATH');
  await rejects(directory.setxattr('file', 'user.x', 5 as unknown as string), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(directory.setxattr('file', 'nonsense.x', ''), 'ENOTSUP');
  await rejects(directory.setxattr('file', '', ''), 'ERANGE');
  await rejects(directory.setxattr('file', `user.${'n'.repeat(256)}`, ''), 'ERANGE');
  await rejects(directory.setxattr('file', 'user.x', Buffer.alloc(65537)), 'E2BIG');
});
