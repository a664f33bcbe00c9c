// A copy that is killed, at one system call after the other. What it leaves is never taken for complete, and the next run puts it right.
//
// A sample; DIRFD_TEST_KILLS=all takes every call that makes or changes something.
import assert from 'node:assert/strict';
import { cpSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CopyOptions, copyTree } from 'dirfd';
import { run } from '../fixtures/command.js';
import { inventory } from '../fixtures/inventory.js';
import { importable } from '../fixtures/ordinary-user.js';
import { strace } from '../fixtures/strace.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { everyByte } from '../fixtures/trees/plain.js';

/** By which a copy makes or changes anything, and at which of them the sample kills it. */
const CHANGES: Readonly<Record<string, readonly number[]>> = {
  mkdirat: [2],
  flock: [1],
  pwrite64: [5],
  renameat2: [1],
  linkat: [1],
  utimensat: [3],
  unlinkat: [1],
  symlinkat: [],
  mknodat: [],
  fchmod: [],
  fchown: [],
  ftruncate: [],
  fsetxattr: [],
};
const EACH = Array.from({ length: 200 }, (_, index) => index + 1);
const all = process.env.DIRFD_TEST_KILLS === 'all';

function fill(source: string): void {
  mkdirSync(join(source, 'made', 'deep'), { recursive: true });
  mkdirSync(join(source, 'there'));
  writeFileSync(join(source, 'made', 'deep', 'file'), everyByte(5000), { mode: 0o640 });
  writeFileSync(join(source, 'made', 'large'), everyByte(700_000));
  writeFileSync(join(source, 'there', 'changed'), everyByte(6000));
  writeFileSync(join(source, 'there', 'new'), everyByte(6000));
  writeFileSync(join(source, 'there', 'large'), everyByte(5 << 20));
  linkSync(join(source, 'there', 'new'), join(source, 'made', 'new-too'));
  symlinkSync('nowhere', join(source, 'there', 'link'));
  run('mkfifo', [join(source, 'there', 'fifo')]);
}

/** As it was before the copy. */
function fillOld(destination: string): void {
  mkdirSync(join(destination, 'there'), { recursive: true });
  writeFileSync(join(destination, 'there', 'changed'), 'old');
  writeFileSync(join(destination, 'there', 'extra'), 'old');
}

/** Kills a copy at each of its changes; @returns how many times. */
async function killAtEach(
  t: TestContext,
  options: CopyOptions,
  afterwards: (source: string, destination: string) => Promise<void>,
): Promise<number> {
  const base = temporaryDirectory(t);
  const [source, old] = [join(base, 'source'), join(base, 'old')];
  mkdirSync(source);
  fill(source);
  fillOld(old);
  const script = `
    import { copyTree } from 'dirfd';
    await copyTree(process.argv[1], process.argv[2], JSON.parse(process.argv[3]));
  `;
  const command = [process.execPath, '--input-type=module', '-e', importable(script), '--', source];
  let kills = 0;
  for (const [call, sample] of Object.entries(CHANGES)) {
    for (const when of all ? EACH : sample) {
      const place = join(base, `${call}-${when}`);
      const destination = join(place, 'destination');
      mkdirSync(place);
      cpSync(old, destination, { recursive: true, preserveTimestamps: true });
      const told = JSON.stringify({ ...options, concurrency: 1 });
      const inject = [`${call}:signal=KILL:when=${when}`];
      const { status } = strace([...command, destination, told], { trace: [], inject });
      if (status !== 0) {
        kills++;
        await afterwards(source, destination);
      }
      rmSync(place, { recursive: true });
      if (status === 0) break;
    }
  }
  return kills;
}

function namesLeft(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.dirfd-'));
}

function assertSameForRsync(source: string, destination: string): void {
  assert.equal(run('rsync', ['-aHAXn', '--delete', '-i', `${source}/`, `${destination}/`]), '');
}

for (const resume of [false, true]) {
  test(`a copy${resume ? ' with resume' : ''} killed at any change is put right by the next update, and leaves no name of its own`, async (t) => {
    if (!requireTool(t, 'strace') || !requireTool(t, 'rsync')) return;
    const options = { update: true, delete: true, reflink: 'never', resume } as const;
    const kills = await killAtEach(t, options, async (source, destination) => {
      const report = await copyTree(source, destination, options);
      assert.deepEqual([report.errors, report.notKept], [[], []]);
      assertSameForRsync(source, destination);
      assert.deepEqual(namesLeft(destination), []);
    });
    t.diagnostic(`${kills} kills`);
    assert.ok(kills >= 5, `${kills}`);
  });
}

test('an atomic copy killed at any change has changed nothing, or all; the next one leaves no name of its own', async (t) => {
  if (!requireTool(t, 'strace') || !requireTool(t, 'rsync')) return;
  const options = { atomic: true, delete: true, reflink: 'never' } as const;
  const kills = await killAtEach(t, options, async (source, destination) => {
    const names = inventory(destination);
    const isOld = existsSync(join(destination, 'there', 'extra'));
    if (!isOld) assertSameForRsync(source, destination);
    else assert.equal(existsSync(join(destination, 'made')), false, JSON.stringify(names));
    await copyTree(source, destination, options);
    assertSameForRsync(source, destination);
    assert.deepEqual(namesLeft(join(destination, '..')), []);
  });
  t.diagnostic(`${kills} kills`);
  assert.ok(kills >= 5, `${kills}`);
});
