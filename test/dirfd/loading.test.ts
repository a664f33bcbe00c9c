import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import * as main from 'dirfd';
import * as index from '#dist/index.js';

test('import gives every name that the index has, and the same ones', () => {
  assert.deepEqual({ ...main }, { ...index });
});

test('the package loads with forty descriptors, silently', () => {
  const script = "import { DirectoryFd } from 'dirfd'; console.log(typeof DirectoryFd.open)";
  const shell = 'ulimit -n 40 && exec "$0" --input-type=module -e "$1" 2>&1';
  const said = execFileSync('sh', ['-c', shell, process.execPath, script], { encoding: 'utf8' });
  assert.equal(said, 'function\n');
});
