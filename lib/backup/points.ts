/**
 * Recovery points as they lie in a store.
 *
 *   points/ID.json   there as long as its operation is neither completed nor recovered; locked as long as its maker lives, and has not closed
 *   points/lock      held alone by who recovers
 */

import { closeAll } from '../dirfd/close-all.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import type { Stat } from '../dirfd/stat.js';
import { unless } from '../dirfd/unless.js';
import { FsError } from '../errors.js';
import { operationError, StateError } from '../operation-errors.js';
import { plainPath, WHOLE } from './part.js';

/** What was going on, and what there was before. */
export interface RecoveryPoint {
  readonly id: string;
  readonly operation: string;
  /** By which path the directory was opened: for people, and to open it again after a crash, if it is absolute. */
  readonly directory: string;
  /** Which directory it is: device, inode and time of birth in nanoseconds, 0 where the file system keeps none; decimal. */
  readonly dev: string;
  readonly ino: string;
  readonly birthtimeNs: string;
  /** Relative to it. */
  readonly path: string;
  /** The version of what was there; absent where nothing was. */
  readonly version?: string;
  /** ISO 8601. */
  readonly time: string;
}

/** All of them, the oldest first. @throws StateError for what is none */
export async function readPoints(points: DirectoryFd): Promise<RecoveryPoint[]> {
  const names = (await points.readdir()).filter((name) => name.endsWith('.json')).sort();
  const found: RecoveryPoint[] = [];
  for (const name of names) {
    const text = await points.readFile(name, 'utf8').catch((error: unknown) => {
      // Completed by another process in this moment.
      if (error instanceof FsError && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) continue;
    try {
      found.push(toPoint(JSON.parse(text)));
    } catch (error) {
      const subject = { verb: 'pending', directory: points.path, path: name };
      throw operationError(StateError, 'ERR_DIRFD_RECOVERY', 'not a recovery point', subject, error);
    }
  }
  return found;
}

const TEXTS = ['id', 'operation', 'directory', 'dev', 'ino', 'birthtimeNs', 'path', 'time'] as const;

function toPoint(value: unknown): RecoveryPoint {
  if (typeof value !== 'object' || value === null) throw new TypeError('it is no object');
  const point = value as Partial<Record<string, unknown>>;
  const wrong = TEXTS.find((field) => typeof point[field] !== 'string');
  if (wrong !== undefined) throw new TypeError(`it has no ${wrong}`);
  if (point.version !== undefined && typeof point.version !== 'string') throw new TypeError('its version is no id');
  return value as RecoveryPoint;
}

/** What a point keeps of its directory. */
export function identityOf({ dev, ino, birthtimeNs }: Stat): Pick<RecoveryPoint, 'dev' | 'ino' | 'birthtimeNs'> {
  return { dev: String(dev), ino: String(ino), birthtimeNs: String(birthtimeNs) };
}

/** Whether the point was made in that very directory: a path, most of all a relative one, may by now lead to another. */
export async function isMadeIn(point: RecoveryPoint, directory: DirectoryFd): Promise<boolean> {
  const { dev, ino, birthtimeNs } = identityOf(await directory.stat('.'));
  if (point.ino !== ino || point.birthtimeNs !== birthtimeNs) return false;
  if (point.dev === dev) return true;
  // A disk may have another number after the crash. Born in the same nanosecond, and found at the same place, is enough then.
  return birthtimeNs !== '0' && directory.path.startsWith('/') && directory.path === point.directory;
}

/** What the maker of a point holds, until it is completed or recovered. */
export class HeldPoint implements AsyncDisposable {
  readonly directory: DirectoryFd;
  readonly #id: string;
  #file: FileFd | undefined;

  constructor(id: string, directory: DirectoryFd) {
    this.#id = id;
    this.directory = directory;
  }

  /** Makes the point's file, locked from the moment on in which others can see it. */
  async record(points: DirectoryFd, point: RecoveryPoint): Promise<void> {
    this.#file = await points.createTemporaryFile();
    own.add(this.#id);
    await this.#file.writeFile(JSON.stringify(point));
    await this.#file.sync();
    await this.#file.lock();
    await this.#file.linkInto(points, nameOf(this.#id));
    await points.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    own.delete(this.#id);
    await closeAll([this.#file, this.directory]);
  }
}

/** Of points that were made in this thread: it knows itself whether they are at work, and may take them back. */
const own = new Set<string>();

/** Whether another process or thread, which lives, is between the point and its end. */
export async function isAtWork(points: DirectoryFd, { id }: RecoveryPoint): Promise<boolean> {
  if (own.has(id)) return false;
  const file = await unless('ENOENT', points.openFile(nameOf(id)));
  if (file === undefined) return false;
  await using _file = file;
  // Beside others who ask; the maker's lock is exclusive.
  return !(await file.tryLock({ shared: true }));
}

export async function removePoint(points: DirectoryFd, { id }: RecoveryPoint): Promise<void> {
  await unless('ENOENT', points.unlink(nameOf(id)));
  await points.sync();
}

function nameOf(id: string): string {
  return `${id}.json`;
}

/** Points that stay as they are, taken from the newest on: what they have in common with older ones keeps those from being put back, too. */
export class LeftPoints {
  readonly #left: RecoveryPoint[] = [];

  add(point: RecoveryPoint): void {
    this.#left.push(point);
  }

  /** Whether an older point would put back the same entry, one in it or one around it. */
  overlap(older: RecoveryPoint): boolean {
    return this.#left.some((left) => {
      const isSamePlace = left.dev === older.dev && left.ino === older.ino;
      return (isSamePlace && nest(left.path, older.path)) || nest(wholePath(left), wholePath(older));
    });
  }
}

function wholePath({ directory, path }: RecoveryPoint): string {
  return `${directory}/${path}`;
}

function nest(a: string, b: string): boolean {
  const [one, other] = [plainPath(a), plainPath(b)];
  return one === WHOLE || other === WHOLE || `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}
