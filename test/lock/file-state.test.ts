// FileState: readers and a writer counted, in this process and between processes; what a crash leaves is told by persisted states.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { DirectoryFd } from 'dirfd';
import {
  AlreadyLockedError,
  FileState,
  LockError,
  LockManager,
  persistStates,
  restoreStates,
  StateError,
} from 'dirfd/lock';
import { rejects } from '../dirfd/scratch.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

async function stateOf(t: TestContext, path: string, name: string | Uint8Array = 'a'): Promise<FileState> {
  const state = await FileState.open(path, name);
  t.after(() => state.close());
  return state;
}

test('readers go together, a writer alone, and nobody waits', async (t) => {
  const path = temporaryDirectory(t);
  const [one, other] = [await stateOf(t, path), await stateOf(t, path)];
  const facts = () => [one.mode, one.referenceCount, one.inUse];
  assert.deepEqual([...facts(), one.lastAccess], [undefined, 0, false, undefined]);
  const uses = await Promise.all([one.acquire('read'), one.acquire('read'), other.acquire('read')]);
  assert.deepEqual(facts(), ['read', 2, true]);
  for (const state of [one, other]) await assert.rejects(state.acquire('write'), AlreadyLockedError);
  for (const use of uses) await use.release();
  await uses[0]?.release();
  assert.deepEqual(facts(), [undefined, 0, false]);

  const write = await one.acquire('write');
  assert.ok(one.valid && one.lastAccess !== undefined);
  for (const state of [one, other]) {
    for (const mode of ['read', 'write'] as const) await assert.rejects(state.acquire(mode), AlreadyLockedError, mode);
  }
  await assert.rejects(other.acquire('write'), new RegExp(`held by pid ${process.pid}`));
  await one.release();
  await assert.rejects(one.release(), LockError);
  await assert.rejects(write.release(), LockError, 'it was ended by the state');
  {
    await using use = await other.acquire('write');
    assert.deepEqual([use.mode, other.inUse], ['write', true]);
  }
  assert.deepEqual([other.inUse, await one.holder()], [false, undefined]);
  await rejects(one.acquire('append' as never), 'ERR_DIRFD_INVALID_ARGUMENT');
  for (const name of ['.', 'a/', 'a/.', '']) await rejects(FileState.open(path, name), 'ERR_DIRFD_INVALID_PATH');
  await rejects(FileState.open(path, '../a'), 'ERR_DIRFD_PATH_ESCAPE');
});

test('closing ends all uses, and a LockManager beside it takes the same lock', async (t) => {
  const path = temporaryDirectory(t);
  const state = await FileState.open(path, 'a');
  await using locks = await LockManager.open(path);
  await state.acquire('write');
  assert.equal(await locks.tryAcquire('a'), undefined);
  await Promise.all([state.close(), state.close()]);
  assert.deepEqual([state.inUse, state.mode, state.referenceCount], [false, undefined, 0]);
  await using _lease = await locks.tryAcquire('a');
  assert.ok(_lease);
  await rejects(state.acquire('read'), 'ERR_DIRFD_CLOSED');
});

test('a writer in another process is refused, and its end lets others in', async (t) => {
  const path = temporaryDirectory(t);
  const state = await stateOf(t, path);
  await state.acquire('write');
  const script = `
    import { FileState } from ${JSON.stringify(pathToFileURL(join(repositoryRoot, 'dist/lock/main.js')).href)};
    const state = await FileState.open(process.argv[1], 'a');
    await state.acquire('write').then(() => console.log('had'), ({ name }) => console.log(name));
    process.kill(process.pid, 'SIGKILL');`;
  const other = () =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script, path], { encoding: 'utf8' }).stdout;
  assert.equal(other(), 'AlreadyLockedError\n');
  await state.release();
  assert.equal(other(), 'had\n');
  await using _use = await state.acquire('write');
});

test('what a killed process used is told by the states that it has persisted', async (t) => {
  const path = temporaryDirectory(t);
  mkdirSync(join(path, 'data'));
  const file = join(path, 'states.json');
  assert.deepEqual(await restoreStates(file), []);
  const script = `
    import { FileState, persistStates } from ${JSON.stringify(pathToFileURL(join(repositoryRoot, 'dist/lock/main.js')).href)};
    process.chdir(process.argv[1]);
    for (const [name, mode] of [['busy', 'write'], [Buffer.from([0xff]), 'read'], ['idle']]) {
      const state = await FileState.open('data', name);
      if (mode) await state.acquire(mode);
    }
    await persistStates('states.json');
    process.kill(process.pid, 'SIGKILL');`;
  assert.equal(spawnSync(process.execPath, ['--input-type=module', '-e', script, path]).signal, 'SIGKILL');
  const states = await restoreStates(pathToFileURL(file));
  const directory = join(path, 'data');
  const none = { directory, mode: undefined, referenceCount: 0, lastAccess: undefined, interrupted: false };
  const [busy, bytes, idle] = states;
  assert.deepEqual(
    [busy?.path, busy?.mode, busy?.referenceCount, busy?.interrupted, busy?.directory],
    ['busy', 'write', 1, true, directory],
  );
  assert.ok(busy?.lastAccess instanceof Date);
  assert.deepEqual([bytes?.path, bytes?.pathBytes, bytes?.interrupted], ['\ufffd', '/w==', true]);
  assert.deepEqual(idle, { ...none, path: 'idle' });
  assert.equal(states.length, 3);
  // Its locks are gone with it.
  await using state = await FileState.open(directory, 'busy');
  await using _use = await state.acquire('write');
});

test('states are written whole, in the place of what was there, and those of a living process are not interrupted', async (t) => {
  const path = temporaryDirectory(t);
  const file = join(path, 'states.json');
  writeFileSync(join(path, 'precious'), 'stays');
  symlinkSync('precious', file);
  const state = await stateOf(t, path);
  await state.acquire('read');
  await Promise.all([persistStates(file), persistStates(file)]);
  assert.deepEqual([lstatSync(file).isFile(), lstatSync(file).mode & 0o777], [true, 0o600]);
  assert.equal(readFileSync(join(path, 'precious'), 'utf8'), 'stays');
  assert.deepEqual(readdirSync(path).sort(), ['a.lock', 'precious', 'states.json']);
  const [restored] = await restoreStates(file);
  assert.deepEqual([restored?.mode, restored?.interrupted], ['read', false]);
  for (const text of ['', '[]', 'null', '{"dirfd":"states"}', '{"dirfd":"states","states":[{}]}']) {
    writeFileSync(file, text);
    await assert.rejects(restoreStates(file), StateError, text);
  }
});

test('the directory that is told is the one where it lies now', async (t) => {
  const path = temporaryDirectory(t);
  mkdirSync(join(path, 'before'));
  await using directory = await DirectoryFd.open(join(path, 'before'));
  await using _state = await FileState.open(directory, 'a');
  renameSync(join(path, 'before'), join(path, 'after'));
  await persistStates(join(path, 'states.json'));
  assert.deepEqual(
    (await restoreStates(join(path, 'states.json'))).map((each) => each.directory),
    [join(path, 'after')],
  );
});
