/** Backups of single files, made before they are replaced: their names, their making where a link will not do, their end. */

import { randomBytes } from 'node:crypto';
import { type ObservedOptions, observed } from '../audit/observe.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { FileFd } from '../dirfd/file-fd.js';
import { checkRelative, type RelativePath } from '../dirfd/path.js';
import { type ErrorSubject, FsError, ownError } from '../errors.js';
import { native } from '../native/load.js';
import { DURABILITIES, KEEP } from '../native/replace.js';
import { type AtomicTarget, holdTarget, onDirectory } from './target.js';

/** NAME.20261125T223000.123Z-1a2b.bak: the moment, and bits that tell two of one moment apart. */
const TIMED = /\.(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)\.(\d{3})Z-[0-9a-f]{4}(?:\.|$)/;
const CHUNK = 2 ** 30;

/** The pattern with the file's name and the moment put in, as bytes. */
export function backupPath(pattern: string, name: RelativePath, subject: ErrorSubject): Buffer {
  const latin1 = Buffer.from(name).toString('latin1');
  const time = `${new Date().toISOString().replace(/[-:]/g, '')}-${randomBytes(2).toString('hex')}`;
  const text = Buffer.from(pattern).toString('latin1');
  const path = Buffer.from(text.replaceAll('{name}', () => latin1).replaceAll('{time}', time), 'latin1');
  if (path.equals(Buffer.from(name)))
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'the backup is the file itself', subject);
  return checkRelative(path, { ...subject, path });
}

/** A draft of the owner's alone, which takes the place of what has the name, a symlink too, and is on the device then. */
const COPY = [DURABILITIES.indexOf('full'), KEEP.nothing, false, true, false] as const;
const NOTHING_MORE = ['', false, -1] as const;

/**
 * A copy under that path, whole and on the device before it has the name: where a hard link is impossible or would be shared. What a kill leaves
 * of it is a draft as any other, which the next writer removes.
 */
export async function copyBackup(directory: DirectoryFd, name: RelativePath, path: Buffer): Promise<void> {
  const slash = path.lastIndexOf('/');
  await using place = await directory.openDirectory(slash < 0 ? '.' : path.subarray(0, slash));
  await using old = await directory.openFile(name);
  const last = path.subarray(slash + 1);
  const subject: ErrorSubject = { verb: 'backup', directory: directory.path, path };
  const draft = await onDirectory(place, subject, (root) =>
    native.openDraft(root, last, ...COPY, 0o600, ...NOTHING_MORE),
  );
  await using copy = FileFd.adopt(draft, place.path, '(draft)');
  while ((await old.copyRange(copy, CHUNK)) > 0);
  const { uid, gid, mode, atimeNs, mtimeNs } = await old.stat();
  // Who may not give files away keeps the copy; its mode is no wider than the file's.
  await copy.chown(uid, gid).catch(unlessPermitted);
  for (const attribute of await old.listxattr().catch(unlessUnsupported)) {
    // Labels belong to the place; a capability would come back with the backup, and with another owner's file.
    if (!attribute.startsWith('security.')) await copy.setxattr(attribute, await old.getxattr(attribute));
  }
  await copy.chmod(mode & 0o777);
  await copy.utimes(atimeNs, mtimeNs);
  // Its mode is as it should be: no other.
  await onDirectory(place, subject, (root) => native.replaceByDraft(draft, root, last, ...COPY, -1, ...NOTHING_MORE));
}

/**
 * Removes backups with a time in their name, as `backup: true` gives it, that are older than that. What else lies in the directory stays.
 *
 * @returns the names that were removed
 */
export async function cleanupBackups(
  directory: DirectoryFd | string,
  maxAgeHours = 24,
  options: ObservedOptions = {},
): Promise<string[]> {
  if (typeof maxAgeHours !== 'number' || !(maxAgeHours >= 0)) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `maxAgeHours must be 0 or more, not ${String(maxAgeHours)}`, {
      verb: 'cleanupBackups',
    });
  }
  if (directory === '') {
    const why = "the path is empty; use '.' for the current directory";
    throw ownError('ERR_DIRFD_INVALID_PATH', why, { verb: 'cleanupBackups' });
  }
  const path = typeof directory === 'string' ? directory : directory.path;
  return observed({ operation: 'cleanup-backups', directory: path }, options, async (note) => {
    const removed = await removeOlder(directory, maxAgeHours);
    note({ removed });
    return removed;
  });
}

async function removeOlder(directory: DirectoryFd | string, maxAgeHours: number): Promise<string[]> {
  const target: AtomicTarget =
    typeof directory === 'string' ? `${directory.replace(/\/*$/, '')}/backups` : { directory, path: 'backups' };
  await using held = await holdTarget(target, 'cleanupBackups');
  const oldest = Date.now() - maxAgeHours * 3_600_000;
  const removed: string[] = [];
  for (const entry of await held.directory.readdir('.', { withFileTypes: true })) {
    const time = TIMED.exec(entry.name);
    if (!time || !entry.name.endsWith('.bak') || !entry.isFile()) continue;
    const [year, month, day, hour, minute, second, millisecond] = time.slice(1).map(Number) as Moment;
    if (Date.UTC(year, month - 1, day, hour, minute, second, millisecond) > oldest) continue;
    if (await gone(held.directory.unlink(entry.nameBytes))) removed.push(entry.name);
  }
  return removed;
}

type Moment = [number, number, number, number, number, number, number];

/** False where somebody else was faster. */
async function gone(removal: Promise<void>): Promise<boolean> {
  try {
    await removal;
    return true;
  } catch (error) {
    if (error instanceof FsError && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Of a file system without attributes there are none. */
function unlessUnsupported(error: unknown): string[] {
  if (error instanceof FsError && error.code === 'ENOTSUP') return [];
  throw error;
}

function unlessPermitted(error: unknown): void {
  if (!(error instanceof FsError) || error.code !== 'EPERM') throw error;
}
