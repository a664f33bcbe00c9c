/**
 * Which files a process uses, on disk: so that whoever comes after a crash learns what it was about. The locks themselves are the kernel's, and gone with
 * the process.
 */

import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DirectoryFd } from '../dirfd/directory-fd.js';
import { realPathOf } from '../dirfd/real-path.js';
import { unless } from '../dirfd/unless.js';
import { FsError } from '../errors.js';
import { operationError, StateError } from '../operation-errors.js';
import { type FileState, type FileStateMode, openStates } from './file-state.js';
import { isRunning, type ProcessFacts, thisProcess } from './lock-record.js';

/** The state of a file, as it was when persistStates wrote it. */
export interface PersistedState {
  /** The real path of its directory then; by the caller's own path where /proc did not tell. */
  readonly directory: string;
  /** Base64, where that is not UTF-8. */
  readonly directoryBytes?: string;
  /** Relative to the directory. */
  readonly path: string;
  readonly pathBytes?: string;
  readonly mode: FileStateMode | undefined;
  readonly referenceCount: number;
  readonly lastAccess: Date | undefined;
  /** True where it was in use, and the process is no more: nobody has ended that use, or it ended after the last persistStates. */
  readonly interrupted: boolean;
}

type Entry = Omit<PersistedState, 'lastAccess' | 'interrupted'> & { readonly lastAccess?: string };
interface Record extends ProcessFacts {
  readonly states: readonly Entry[];
}

/**
 * Writes the states of all files that this thread has open as a {@link FileState}, in one step and durably, in the place of what the file held. Every
 * process and thread needs a file of its own; the last call counts, so call it whenever something has been acquired that matters.
 */
export async function persistStates(file: string | URL): Promise<void> {
  const states = (await Promise.all(openStates().map(describe))).filter((state) => state !== undefined);
  const text = JSON.stringify({ dirfd: 'states', ...thisProcess(), states });
  const { directory: above, name } = split(file);
  await using directory = await DirectoryFd.open(above);
  await using draft = await directory.createTemporaryFile({ mode: 0o600 });
  await draft.writeFile(`${text}\n`);
  await draft.sync();
  await draft.linkInto(directory, name, { replace: true });
  await directory.sync();
}

/**
 * What {@link persistStates} wrote last, of this process or one before; empty where there is no such file. Changes nothing and takes no lock: to use a
 * file again, open its {@link FileState}.
 *
 * @throws StateError for a file that persistStates has not written
 */
export async function restoreStates(file: string | URL): Promise<PersistedState[]> {
  const { directory: above, name } = split(file);
  await using directory = await DirectoryFd.open(above);
  const text = await unless('ENOENT', directory.readFile(name, 'utf8'));
  if (text === undefined) return [];
  let record: Record;
  try {
    record = toRecord(JSON.parse(text));
  } catch (error) {
    const subject = { verb: 'restoreStates', directory: directory.path, path: name };
    throw operationError(StateError, 'ERR_DIRFD_RECOVERY', 'no file of states', subject, error);
  }
  const isGone = !isRunning(record);
  return record.states.map(({ lastAccess, ...state }) => ({
    ...state,
    mode: state.mode,
    lastAccess: lastAccess === undefined ? undefined : new Date(lastAccess),
    interrupted: isGone && state.referenceCount > 0,
  }));
}

/** @returns undefined for one that is closed meanwhile */
async function describe(state: FileState): Promise<Entry | undefined> {
  const { directory, path } = state.place;
  const { mode, referenceCount, lastAccess } = state;
  const subject = { verb: 'persistStates', directory: directory.path };
  let real: Buffer | undefined;
  try {
    real = await realPathOf(directory, subject);
  } catch (error) {
    if (error instanceof FsError && error.code === 'ERR_DIRFD_CLOSED') return undefined;
    throw error;
  }
  return {
    ...named('directory', real ?? Buffer.from(directory.path)),
    ...named('path', Buffer.from(path)),
    mode,
    referenceCount,
    ...(lastAccess ? { lastAccess: lastAccess.toISOString() } : {}),
  } as Entry;
}

function named(field: string, bytes: Buffer): { readonly [field: string]: string } {
  const text = bytes.toString('utf8');
  const exact = Buffer.from(text).equals(bytes) ? {} : { [`${field}Bytes`]: bytes.toString('base64') };
  return { [field]: text, ...exact };
}

function toRecord(value: unknown): Record {
  const record = value as Record & { readonly dirfd?: unknown };
  if (record?.dirfd !== 'states' || !Array.isArray(record.states)) throw new TypeError('it holds something else');
  const isEntry = ({ directory, path, referenceCount }: Entry) =>
    typeof directory === 'string' && typeof path === 'string' && Number.isInteger(referenceCount);
  if (!record.states.every(isEntry)) throw new TypeError('it has something that is no state');
  return record;
}

function split(file: string | URL): { readonly directory: string; readonly name: string } {
  const path = file instanceof URL ? fileURLToPath(file) : file;
  return { directory: dirname(path), name: basename(path) };
}
