// States × methods: every method of an open handle, beside others in flight, while closing, and when closed.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { DirectoryFd, FileFd, FsError } from 'dirfd';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { type Calls, directoryCalls, fileCalls } from './every-verb.js';
import { rejects, scratch } from './scratch.js';

expectNoLeaks();

type Handle = DirectoryFd | FileFd;

const handles = {
  DirectoryFd: {
    calls: directoryCalls as Calls<Handle>,
    open: async (path: string): Promise<Handle> => DirectoryFd.open(path),
  },
  FileFd: {
    calls: fileCalls as Calls<Handle>,
    async open(path: string): Promise<Handle> {
      await using directory = await DirectoryFd.open(path);
      return await directory.openFile('file', 'r+');
    },
  },
};

async function prepared(t: TestContext): Promise<string> {
  const { path } = await scratch(t);
  mkdirSync(join(path, 'sub'));
  writeFileSync(join(path, 'file'), 'x'.repeat(100));
  return path;
}

/** What a call gives is closed; what it throws is returned. A promise must reject: it may never throw at once. */
async function outcome(name: string, call: () => unknown): Promise<unknown> {
  let returned: unknown;
  try {
    returned = call();
  } catch (error) {
    assert.match(name, /Sync$/, `${name} threw instead of rejecting: ${error}`);
    return error;
  }
  assert.equal(returned instanceof Promise, !name.endsWith('Sync'), `${name} is a promise, or named Sync`);
  try {
    const value = await returned;
    if (value instanceof DirectoryFd || value instanceof FileFd) await value.close();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** File systems differ in these, and what they say to them is for other tests. */
const mayBeUnsupported = ['setxattr', 'getxattr', 'removexattr', 'getflags', 'setflags', 'clone', 'allocate'];

/** Several calls make up these: those after the close are refused. */
const madeUp = ['readFile', 'writeFile', 'appendFile', 'exists', 'lock', 'readdir'];

function assertDone(name: string, error: unknown): void {
  if (error instanceof FsError && mayBeUnsupported.includes(name)) return;
  assert.equal(error, undefined, `${name}: ${error}`);
}

for (const [kind, { calls, open }] of Object.entries(handles)) {
  test(`${kind}: the list of calls knows every public method`, async (t) => {
    const handle = await open(await prepared(t));
    const own = ['close', 'closeSync', 'constructor', 'unsafeFd', 'linkInto'];
    const streams = ['createReadStream', 'createWriteStream', 'readableWebStream'];
    const methods = new Set<string>();
    for (let at = Object.getPrototypeOf(handle); at !== Object.prototype; at = Object.getPrototypeOf(at)) {
      for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
        if (typeof value === 'function') methods.add(name);
      }
    }
    const internal = ['subject', 'perform', 'performSync'];
    const known = [...Object.keys(calls), ...own, ...streams, ...internal];
    assert.deepEqual(
      [...methods].filter((name) => !known.includes(name)),
      [],
    );
    await handle.close();
  });

  test(`${kind}, open: every method does its work`, async (t) => {
    const handle = await open(await prepared(t));
    for (const [name, call] of Object.entries(calls)) assertDone(name, await outcome(name, () => call(handle)));
    await handle.close();
  });

  test(`${kind}, in flight: close waits for each method, which succeeds`, async (t) => {
    for (const [name, call] of Object.entries(calls)) {
      const path = await prepared(t);
      const before = await open(path);
      for (const [earlier, prepare] of Object.entries(calls)) {
        if (earlier === name) break;
        await outcome(earlier, () => prepare(before));
      }
      await before.close();
      const handle = await open(path);
      let settled = false;
      const mark = (): void => {
        settled = true;
      };
      const running = outcome(name, () => {
        const returned = call(handle);
        void Promise.resolve(returned).then(mark, mark);
        return returned;
      });
      const closing = handle.close();
      assert.equal(handle.closed, true);
      await closing;
      assert.ok(settled || madeUp.includes(name), `${name}: close has not waited`);
      const error = await running;
      assert.equal(handle.unsafeFd(), -1);
      if (error instanceof FsError && error.code === 'ERR_DIRFD_CLOSED') {
        assert.ok(madeUp.includes(name), `${name} was refused`);
      } else assertDone(name, error);
    }
  });

  test(`${kind}, closing and closed: every method is refused, and does nothing`, async (t) => {
    for (const [name, call] of Object.entries(calls)) {
      const handle = await open(await prepared(t));
      const running = handle instanceof DirectoryFd ? handle.readdir() : handle.stat();
      const closing = handle.close();
      const whileClosing = await outcome(name, () => call(handle));
      await Promise.all([running, closing]);
      const whenClosed = await outcome(name, () => call(handle));
      for (const error of [whileClosing, whenClosed]) {
        assert.ok(error instanceof FsError, `${name}: ${error}`);
        assert.equal(error.code, 'ERR_DIRFD_CLOSED', name);
        assert.match(error.message, new RegExp(`this ${kind} is closed`), name);
      }
      assert.equal(handle.closed, true);
      await handle.close();
      handle.closeSync();
    }
  });

  test(`${kind}: closeSync refuses while something is in flight, and closes at once otherwise`, async (t) => {
    const handle = await open(await prepared(t));
    const running = handle instanceof DirectoryFd ? handle.readdir() : handle.stat();
    assert.throws(() => handle.closeSync(), { code: 'ERR_DIRFD_BUSY', message: /in flight: 1/ });
    await running;
    handle.closeSync();
    assert.equal(handle.unsafeFd(), -1);
    assert.equal(await handle.close(), undefined);
  });
}

test('a second handle that is closed is refused, and the first stays usable', async (t) => {
  const { path, directory } = await scratch(t);
  writeFileSync(join(path, 'file'), 'x');
  const other = await DirectoryFd.open(path);
  await using file = await directory.openFile('file', 'r+');
  const second = await directory.openFile('file', 'r+');
  await Promise.all([other.close(), second.close()]);
  for (const promise of [
    directory.rename('file', other, 'x'),
    directory.link('file', other, 'x'),
    file.linkInto(other, 'x'),
    file.copyRange(second, 1),
    file.clone(second),
  ]) {
    await rejects(promise, 'ERR_DIRFD_CLOSED');
  }
  assert.throws(() => directory.renameSync('file', other, 'x'), { code: 'ERR_DIRFD_CLOSED' });
  assert.deepEqual(await directory.readdir(), ['file']);
  assert.equal(await file.readFile('utf8'), 'x');
});

test('a handle in flight as second directory is not closed under the operation', async (t) => {
  const { path, directory } = await scratch(t);
  mkdirSync(join(path, 'other'));
  for (let round = 0; round < 50; round++) {
    const other = await DirectoryFd.open(join(path, 'other'));
    writeFileSync(join(path, 'file'), '');
    const moving = directory.rename('file', other, 'moved');
    await other.close();
    await moving;
  }
});

test('a native call that throws at once does not keep close() waiting', async (t) => {
  const { path } = await scratch(t);
  const { native } = (await import('#dist/native/load.js' as string)) as { native: { stat: unknown } };
  const { stat } = native;
  t.after(() => {
    native.stat = stat;
  });
  native.stat = () => {
    throw new TypeError('dirfd: native argument 2 must be a boolean');
  };
  const handle = await DirectoryFd.open(path);
  await assert.rejects(handle.stat('x'), TypeError);
  await handle.close();
});
