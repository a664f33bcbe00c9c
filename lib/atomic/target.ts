/** From what a caller names to one name in a held directory. No path is resolved twice: all that follows happens in that directory. */

import { fileURLToPath } from 'node:url';
import { DirectoryFd } from '../dirfd/directory-fd.js';
import { INTERNAL } from '../dirfd/fd.js';
import { checkRelative, type RelativePath } from '../dirfd/path.js';
import { type ErrorSubject, ownError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import { retrying } from './failures.js';
import { type AtomicWriteOptions, type ReplaceHow, toReplaceHow } from './options.js';

/**
 * A file, there or not: a path below a directory that is held, or the caller's own path, whose directory part is opened once and may hold
 * symlinks, as in {@link DirectoryFd.open}.
 */
export type AtomicTarget = { readonly directory: DirectoryFd; readonly path: RelativePath } | string | Uint8Array | URL;

/** A directory, and the path of the file below it. */
export interface HeldTarget extends AsyncDisposable {
  readonly directory: DirectoryFd;
  readonly path: RelativePath;
  readonly subject: ErrorSubject;
}

/** Opens the directory of the caller's own path, or takes the one that is given. */
export async function holdTarget(target: AtomicTarget, verb: string): Promise<HeldTarget> {
  if (typeof target === 'object' && target !== null && 'directory' in target) {
    const { directory, path } = target;
    const subject: ErrorSubject = { verb, directory: directory?.path, path };
    if (!(directory instanceof DirectoryFd)) {
      throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'the target’s directory must be a DirectoryFd', { verb });
    }
    checkRelative(path, subject);
    return { directory, path, subject, [Symbol.asyncDispose]: async () => {} };
  }
  const { above, name } = split(target, verb);
  const directory = await DirectoryFd.open(above);
  const subject: ErrorSubject = { verb, directory: directory.path, path: name };
  return { directory, path: name, subject, [Symbol.asyncDispose]: () => directory.close() };
}

/** The same, tried again as the options say while it fails with what may pass. */
export async function holdPatiently(
  target: AtomicTarget,
  verb: string,
  options: AtomicWriteOptions,
  how: ReplaceHow = toReplaceHow(options, { verb }),
): Promise<HeldTarget> {
  return retrying(how, options.signal, () => holdTarget(target, verb));
}

/** The target as the caller names it, and the one name in the file's own directory: two handles. @param follow a symlink in the last place */
export async function holdPinned(
  target: AtomicTarget,
  verb: string,
  follow: boolean,
  options: AtomicWriteOptions,
  how: ReplaceHow = toReplaceHow(options, { verb }),
): Promise<readonly [given: HeldTarget, pinned: HeldTarget]> {
  return retrying(how, options.signal, async () => {
    const given = await holdTarget(target, verb);
    try {
      return [given, await pin(given, follow)] as const;
    } catch (error) {
      await given[Symbol.asyncDispose]();
      throw error;
    }
  });
}

/** One name in the directory that holds it, which is closed with this. */
export async function pin({ directory, path, subject }: HeldTarget, follow: boolean): Promise<HeldTarget> {
  const [handle, name] = await onDirectory(directory, subject, (root) => native.pinPlace(root, path, follow));
  const pinned = DirectoryFd.adopt(handle, directory, parentOf(path));
  return { directory: pinned, path: name, subject, [Symbol.asyncDispose]: () => pinned.close() };
}

/** Runs one native call while the directory is held open. What it throws is an FsError that names `subject`. */
export async function onDirectory<T>(
  directory: DirectoryFd,
  subject: ErrorSubject,
  call: (handle: DirectoryFd[typeof INTERNAL]['handle']) => Promise<T>,
): Promise<T> {
  const { handle, hold } = directory[INTERNAL];
  const release = hold(subject);
  try {
    return await call(handle);
  } catch (thrown) {
    throw toFsError(thrown, native.callNames, subject);
  } finally {
    release();
  }
}

function split(target: string | Uint8Array | URL, verb: string): { above: string | Buffer; name: RelativePath } {
  const given = target instanceof URL ? fileURLToPath(target) : target;
  if (typeof given !== 'string' && !(given instanceof Uint8Array)) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'the target is a path or { directory, path }', { verb });
  }
  if (typeof given === 'string') {
    const slash = given.lastIndexOf('/');
    return { above: slash < 0 ? '.' : given.slice(0, slash + 1), name: nameOf(given.slice(slash + 1), verb, given) };
  }
  const bytes = Buffer.from(given);
  const slash = bytes.lastIndexOf('/');
  const above = slash < 0 ? '.' : bytes.subarray(0, slash + 1);
  return { above, name: nameOf(bytes.subarray(slash + 1), verb, given) };
}

function nameOf<P extends RelativePath>(name: P, verb: string, given: RelativePath): P {
  const text = Buffer.from(name).toString('latin1');
  if (text !== '' && text !== '.' && text !== '..') return name;
  throw ownError('ERR_DIRFD_INVALID_PATH', 'the path names a directory, not a file', { verb, path: given });
}

/** For messages. */
function parentOf(path: RelativePath): string {
  const text = typeof path === 'string' ? path : Buffer.from(path).toString('utf8');
  return text.includes('/') ? text.slice(0, text.lastIndexOf('/')) : '.';
}
