// A store that two processes use: one puts a version back while the other prunes it.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { DirectoryFd, verifyTree } from 'dirfd';
import { BackupManager } from 'dirfd/backup';
import { repositoryRoot } from '../fixtures/repository.js';
import { quickTemporaryRoot, temporaryDirectory } from '../fixtures/temporary.js';

test('a prune waits for another process that puts a version back, however long that stands still', async (t) => {
  const path = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  for (const name of ['data', 'store']) mkdirSync(join(path, name));
  for (let i = 0; i < 8; i++) writeFileSync(join(path, `data/${i}`), Buffer.alloc(2_000_000, `${i}`));
  await using directory = await DirectoryFd.open(path);
  await using backups = await BackupManager.open(join(path, 'store'));
  const { id } = await backups.createBackup(directory, 'data', { compress: 'gzip' });
  const newer = await backups.createBackup(directory, 'data');

  const entry = (name: string) => JSON.stringify(pathToFileURL(join(repositoryRoot, `dist/${name}main.js`)).href);
  const script = `
    import { createInterface } from 'node:readline';
    import { DirectoryFd } from ${entry('')};
    import { BackupManager } from ${entry('backup/')};
    const [path, id] = process.argv.slice(1);
    const directory = await DirectoryFd.open(path);
    const backups = await BackupManager.open(path + '/store');
    console.log('ready');
    for await (const target of createInterface({ input: process.stdin })) {
      console.log(await backups.restoreBackup(id, directory, target).then(() => 'restored', (error) => error.name));
    }
    await backups.close();
    await directory.close();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, '--', path, id], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await said.next()).value as string | undefined;
  assert.equal(await next(), 'ready');

  const isInside = () => readdirSync(path).some((name) => name.startsWith('.dirfd-restoring-'));
  let target = '';
  for (let round = 0; target === ''; round++) {
    assert.ok(round < 50, 'never caught in the middle');
    child.stdin.write(`back-${round}\n`);
    const deadline = Date.now() + 20_000;
    while (!isInside() && Date.now() < deadline && !readdirSync(path).includes(`back-${round}`)) await null;
    child.kill('SIGSTOP');
    // Its threads stop one by one, and the signal may have come after the end.
    await setTimeout(50);
    if (isInside()) target = `back-${round}`;
    else {
      child.kill('SIGCONT');
      assert.equal(await next(), 'restored');
    }
  }
  await assert.rejects(backups.prune({ count: 1 }, { timeout: 100 }), { code: 'ERR_DIRFD_LOCK_TIMEOUT' });
  assert.deepEqual(await backups.ids(), [id, newer.id]);
  child.kill('SIGCONT');
  const [{ removed }, told] = await Promise.all([backups.prune({ count: 1 }), next()]);
  assert.deepEqual([removed, told], [[id], 'restored']);
  assert.ok((await verifyTree(join(path, 'data'), join(path, target))).same);
  child.stdin.write('too late\n');
  assert.equal(await next(), 'VersionError');
  child.stdin.end();
  await once(child, 'exit');
  assert.equal((await backups.verify(newer.id)).intact, true, 'what the two shared is whole');
});
