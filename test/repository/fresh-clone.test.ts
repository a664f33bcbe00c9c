import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../fixtures/command.js';
import { nobody, ordinaryDirectory } from '../fixtures/ordinary-user.js';
import { isRoot, requireTool } from '../fixtures/tools.js';
import { commandInReadme } from './readme.js';

// What is committed is what is tried: a clone sees nothing of the working tree.
test('the first command of the README copies a tree exactly, from a fresh clone and as an ordinary user', (t) => {
  // .ci/run tries the copy alone, where all is built, and the second command.
  if (process.env.DIRFD_TEST_FRESH_CLONE !== '1') return t.skip('builds all again: npm run test:fresh-clone');
  if (!requireTool(t, 'git', 'rsync')) return;
  const home = ordinaryDirectory(t);
  const clone = join(home, 'clone');
  const inClone = {
    cwd: clone,
    env: { ...withoutNpm(process.env), HOME: home, DIRFD_PREBUILD: '' },
    ...(isRoot() ? nobody : {}),
  };
  const cloned = spawnSync('git', ['clone', '--quiet', '--no-hardlinks', '.', clone], { encoding: 'utf8' });
  if (cloned.status !== 0) return t.skip(`needs a git repository: ${cloned.stderr.trim()}`);
  if (isRoot()) run('chown', ['-R', `${nobody.uid}:${nobody.gid}`, clone]);

  const built = spawnSync('bash', ['-euc', commandInReadme('run-command')], { ...inClone, encoding: 'utf8' });
  if (/npm error code (ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH)/.test(built.stderr))
    return t.skip('needs the npm registry');
  assert.equal(built.status, 0, built.stdout + built.stderr);

  const trees = commandInReadme('run-command').split(' ').slice(-2) as [string, string];
  const slashed = trees.map((tree) => `${tree}/`);
  assert.equal(run('rsync', ['-aHAXn', '--delete', '--itemize-changes', ...slashed], inClone), '');
  run(process.execPath, ['dist/cli/dirfd.js', 'verify', ...trees], inClone);
});

/** `npm test` hands down its user's cache and settings, which belong to root perhaps. */
function withoutNpm(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = new Set([
    'npm_config_cache',
    'npm_config_userconfig',
    'npm_config_prefix',
    'npm_config_local_prefix',
  ]);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !inherited.has(name)));
}
