// With every optional feature refused at once, as no known system does it, what cannot be kept is named and all else is kept.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { attempt, run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { importable } from '../fixtures/ordinary-user.js';
import { pair } from './pair.js';

const everything = 'openat2,proc,fchmodat2,xattrat,copy_file_range,ficlone,umask_thread,tmpfile';

const copyScript = `
  import { copyTree } from 'dirfd';
  const report = await copyTree(process.argv[1], process.argv[2], { onError: 'continue' });
  const notKept = report.notKept.map(({ path, what, code }) => [path, what, code].join(' ')).sort();
  console.log(JSON.stringify({ exitCode: report.exitCode, errors: report.errors, notKept }));`;

test('without any optional feature a copy names the links and FIFOs whose attributes it could not read, and keeps the rest', (t) => {
  const { source, destination, from, to } = pair(t);
  mkdirSync(from('directory'), { mode: 0o750 });
  writeFileSync(from('directory/file'), 'content', { mode: 0o600 });
  chmodSync(from('directory/file'), 0o4711);
  symlinkSync('directory/file', from('link'));
  run('mkfifo', ['-m', '0642', from('directory/pipe')]);
  const command = ['--input-type=module', '-e', importable(copyScript), '--', source, destination];
  const { stdout, stderr } = attempt(process.execPath, command, {
    env: { ...process.env, DIRFD_DISABLE: everything },
  });
  const notKept = ['directory/pipe xattr ERR_DIRFD_UNSUPPORTED', 'link xattr ERR_DIRFD_UNSUPPORTED'];
  assert.deepEqual(JSON.parse(stdout || 'null'), { exitCode: 23, errors: [], notKept }, stderr);
  assert.equal(statSync(to('directory/pipe')).mode & 0o7777, 0o642);
  assertSameTree(source, destination);
});
