// `dirfd lock`: the command runs under the lock, and its end is dirfd's.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileLock } from 'dirfd/lock';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { command, dirfd, start } from './run-command.js';

test('ends as the command does', (t) => {
  const path = temporaryDirectory(t);
  const lock = join(path, 'x.lock');
  assert.equal(dirfd(['lock', lock, '--', 'sh', '-c', 'echo inside; exit 7']).status, 7);
  assert.ok(existsSync(lock));
  assert.equal(dirfd(['lock', lock, '--', 'sh', '-c', 'kill -TERM $$']).status, 143);
  // A directory of PATH that may not be searched would be another answer.
  const absent = dirfd(['lock', lock, '--', 'no-such-command'], { env: { PATH: '/usr/bin:/bin' } });
  assert.deepEqual([absent.status, absent.stderr], [127, 'dirfd lock: no-such-command: no such command\n']);
  assert.equal(dirfd(['lock', lock]).status, 2);
});

test('does not run the command where the lock is not free', async (t) => {
  const path = temporaryDirectory(t);
  await using held = await FileLock.open(path, 'x.lock');
  await held.lock({ shared: true });
  const lock = join(path, 'x.lock');
  assert.equal(dirfd(['lock', '--shared', '--no-wait', lock, '--', 'true']).status, 0);
  assert.deepEqual(
    [['-n'], ['-n', '-E', '9'], ['--timeout=0.01']].map((options) => {
      const { status, stdout } = dirfd(['lock', ...options, lock, '--', 'echo', 'ran']);
      return [status, stdout];
    }),
    [
      [1, ''],
      [9, ''],
      [1, ''],
    ],
  );
});

test('says who holds the lock, unless it is to be quiet', async (t) => {
  const path = temporaryDirectory(t);
  const lock = join(path, 'x.lock');
  await using held = await FileLock.open(path, 'x.lock');
  await held.lock();
  const tell = (...options: string[]) => dirfd(['lock', ...options, lock, '--', 'true']).stderr;
  const holder = new RegExp(`held by pid ${process.pid} on \\S+ since 20\\d\\d-\\d\\d-\\d\\dT[\\d:.]+Z`);
  assert.match(tell('-n'), new RegExp(`^dirfd lock: '${lock}' is not free: ${holder.source}\\n$`));
  assert.match(tell('--timeout=0.01'), holder);
  assert.equal(tell('-n', '-q') + tell('--quiet', '--timeout=0.01'), '');
  await held.unlock();
  assert.match(
    dirfd(['lock', lock, '--', process.execPath, command, 'lock', '-n', lock, '--', 'true']).stderr,
    /held by pid \d+ \('\/\S+'\) on /,
    'by the command, as far as its name is kept',
  );
  await held.lock({ shared: true });
  assert.match(tell('-n'), /is not free: held shared\n$/);
});

test('the command holds the lock when dirfd itself is killed', async (t) => {
  const path = temporaryDirectory(t);
  const running = start(['lock', join(path, 'x.lock'), '--', 'sh', '-c', 'echo $$; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = Number(await new Promise<Buffer>((resolve) => running.stdout?.once('data', resolve)));
  t.after(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  });
  running.kill('SIGKILL');
  await sleep(50);
  await using lock = await FileLock.open(path, 'x.lock');
  assert.equal(await lock.tryLock(), false);
  process.kill(pid, 'SIGKILL');
  await lock.lock({ timeout: 10_000 });
});
