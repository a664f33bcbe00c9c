/** One file replaced: from checked options to the native call, with the ways round it that only JavaScript can take. */

import { createHash } from 'node:crypto';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { INTERNAL } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { Stat } from '../dirfd/stat.js';
import { type ErrorSubject, FsError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import type { NativeReplaced, NativeReplaceOptions } from '../native/replace.js';
import { ASPECTS, type NativeProblem } from '../native/trees.js';
import { ConflictError, DurabilityError, operationError } from '../operation-errors.js';
import { backupPath, copyBackup } from './backup-copy.js';
import { retrying, writeFailure } from './failures.js';
import { type ReplaceHow, toNative } from './options.js';
import type { HeldTarget } from './target.js';

/** Something of the old file that the new one does not have. */
export interface LostMetadata {
  readonly what: 'owner' | 'mode' | 'xattr' | 'acl';
  /** Which attribute. */
  readonly attribute?: string | undefined;
  readonly error: FsError;
}

/** What came of a write. */
export interface AtomicWriteResult {
  /** Of the new file. */
  readonly stat: Stat;
  /** Of the content. */
  readonly bytes: number;
  /** Whether there was a file before. */
  readonly replaced: boolean;
  /** Path of the backup from the file's directory, where one was made. */
  readonly backup?: string | undefined;
  /** SHA-256 of what was read back, in hexadecimal; with `verify` only. */
  readonly sha256?: string | undefined;
  /** With `keepMetadata: 'try'`: what could not be kept. */
  readonly notKept: readonly LostMetadata[];
}

/** What is to become the file. */
export type Content = Uint8Array | { readonly draft: FileFd; readonly bytes: number };

/** Gives the content the name. `target.path` has one component where there is a backup, a draft or something to expect. */
export async function replaceContent(
  target: HeldTarget,
  content: Content,
  how: ReplaceHow,
  signal: AbortSignal | undefined,
): Promise<Omit<AtomicWriteResult, 'sha256'>> {
  const { directory, path, subject } = target;
  const backup = how.backup === undefined ? undefined : backupPath(how.backup, path, subject);
  let copied: 'not' | 'perhaps' | 'done' = 'not';
  const outcome = await retrying(how, signal, async () => {
    const expected = await toExpectedStat(target, how);
    const attempt = (by: Buffer | '') => callNative(target, content, how, toNative(how, expected, by));
    try {
      return await attempt(copied === 'done' ? '' : (backup ?? ''));
    } catch (error) {
      if (!backup || copied === 'done' || !(error instanceof FsError) || !needsCopy(error)) throw error;
    }
    copied = 'perhaps';
    await copyBackup(directory, path, backup);
    copied = 'done';
    return attempt('');
  }).catch(async (error) => {
    // A name with the time is nobody else's.
    const isOurs = backup !== undefined && copied !== 'not' && how.backup?.includes('{time}') === true;
    if (isOurs && !(error instanceof DurabilityError)) await directory.unlink(backup).catch(() => {});
    throw error;
  });
  const size = content instanceof Uint8Array ? content.length : content.bytes;
  return {
    stat: new Stat(outcome.stat),
    bytes: size,
    replaced: outcome.replaced,
    ...(backup && outcome.replaced ? { backup: backup.toString('utf8') } : {}),
    notKept: (outcome.lost ?? []).map((problem) => toLost(problem, subject)),
  };
}

async function callNative(
  { directory, path, subject }: HeldTarget,
  content: Content,
  how: ReplaceHow,
  options: NativeReplaceOptions,
): Promise<NativeReplaced> {
  const holds = [directory[INTERNAL].hold(subject)];
  try {
    const root = directory[INTERNAL].handle;
    if (content instanceof Uint8Array) {
      // Without a wait for the disk it is a matter of microseconds: libuv's pool is good enough.
      const call = how.durability === 'none' ? native.replaceFile : native.replaceFileDurably;
      return await call(root, path, content, ...options);
    }
    const draft = content.draft[INTERNAL];
    holds.push(draft.hold(subject));
    return await native.replaceByDraft(draft.handle, root, path, ...options);
  } catch (thrown) {
    throw writeFailure(thrown, subject);
  } finally {
    for (const release of holds) release();
  }
}

/** EMLINK: other names, or too many; EXDEV: elsewhere; EPERM: fs.protected_hardlinks, or a file system without links. Of the backup's link alone. */
function needsCopy(error: FsError): boolean {
  const plain = error.cause instanceof FsError ? error.cause : error;
  return plain.syscall === 'linkat' && ['EMLINK', 'EXDEV', 'EPERM', 'ENOTSUP'].includes(plain.code);
}

/** The file that has to be there: as it was seen, or as it is now if its content has the hash. */
async function toExpectedStat({ directory, path, subject }: HeldTarget, how: ReplaceHow): Promise<Stat | undefined> {
  const { expected } = how;
  if (typeof expected !== 'string') return expected;
  const seen = await hashOf(directory, path, subject);
  if (seen?.sha256 === expected) return seen.stat;
  const why = seen ? `the content is not the one with SHA-256 ${expected}` : 'the file is gone';
  throw operationError(ConflictError, 'ERR_DIRFD_CONFLICT', why, subject);
}

async function hashOf(
  directory: DirectoryFd,
  path: HeldTarget['path'],
  subject: ErrorSubject,
): Promise<{ readonly sha256: string; readonly stat: Stat } | undefined> {
  try {
    await using file = await directory.openFile(path);
    const stat = await file.stat();
    const sha256 = await sha256Of(file);
    return { sha256, stat };
  } catch (error) {
    if (error instanceof FsError && error.code === 'ENOENT') return undefined;
    throw writeFailure(error, subject);
  }
}

/** SHA-256 of a whole file, from its beginning, in hexadecimal. */
export async function sha256Of(file: FileFd): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(512 * 1024);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, { position });
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

function toLost(problem: NativeProblem, subject: ErrorSubject): LostMetadata {
  const aspect = ASPECTS[problem.aspect];
  return {
    what: aspect === 'owner' || aspect === 'mode' || aspect === 'acl' ? aspect : 'xattr',
    attribute: problem.detail,
    error: toFsError(problem, native.callNames, subject) as FsError,
  };
}
