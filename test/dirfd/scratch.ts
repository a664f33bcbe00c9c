// What nearly every test of this folder begins with: an empty directory, and a DirectoryFd on it.
import assert from 'node:assert/strict';
import { DirectoryFd, FsError, type OpenDirectoryOptions } from 'dirfd';
import { temporaryDirectory } from '../fixtures/temporary.js';

interface Cleanable {
  after(cleanUp: () => void | Promise<void>): void;
}

/** Both vanish after the test. */
export async function scratch(
  t: Cleanable,
  options: OpenDirectoryOptions = {},
): Promise<{ path: string; directory: DirectoryFd }> {
  const path = temporaryDirectory(t);
  return { path, directory: await opened(t, path, options) };
}

/** A DirectoryFd that is closed after the test. */
export async function opened(t: Cleanable, path: string, options: OpenDirectoryOptions = {}): Promise<DirectoryFd> {
  const directory = await DirectoryFd.open(path, options);
  t.after(() => directory.close());
  return directory;
}

/** The promise must reject, with an FsError that has these fields. */
export async function rejects(promise: Promise<unknown>, fields: Partial<FsError> | string): Promise<FsError> {
  const expected = typeof fields === 'string' ? { code: fields } : fields;
  let thrown: unknown;
  try {
    await promise;
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown instanceof FsError, `no FsError, but ${String(thrown)}; expected ${JSON.stringify(expected)}`);
  for (const [field, value] of Object.entries(expected)) {
    assert.deepEqual(thrown[field as keyof FsError], value, `${field} of ${thrown.message}`);
  }
  return thrown;
}
