/**
 * Paths as the transaction works with them: their components, each character of which is one byte (latin1), so that names compare, sort
 * and go into the journal exactly, UTF-8 or not.
 */

import { randomBytes } from 'node:crypto';
import { checkRelative, type RelativePath } from '../dirfd/path.js';
import { type ErrorSubject, FsError, type OwnCode } from '../errors.js';
import { operationError, PathError } from '../operation-errors.js';

/** In every root: the lock, and one directory for each transaction. */
export const STATE_DIRECTORY = '.dirfd-transactions';

/** What lies there beside the directories of transactions. */
export const LOCK = 'lock';

/** What a transaction may be called: the name of its directory. */
const ID = /^[A-Za-z0-9][\w.-]{0,99}$/;

export function isId(text: string): boolean {
  return ID.test(text) && text !== LOCK;
}

/** Sorted by time, as long as clocks go forward. */
export function newId(): string {
  return `${new Date().toISOString().replace(/[:.]/g, '-')}-${randomBytes(6).toString('hex')}`;
}

/**
 * The components of a caller's path; './' and doubled slashes are dropped.
 *
 * @throws PathError for a path that leads out, the root itself, and the transactions' own directory
 */
export function componentsOf(path: RelativePath, subject: ErrorSubject): string[] {
  try {
    checkRelative(path, subject);
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    throw operationError(PathError, error.code as OwnCode, 'not a path below the root', subject, error);
  }
  const components = Buffer.from(path)
    .toString('latin1')
    .split('/')
    .filter((name) => name !== '' && name !== '.');
  const refuse = (why: string) => operationError(PathError, 'ERR_DIRFD_INVALID_PATH', why, subject);
  if (components.length === 0) throw refuse('the root itself cannot be changed');
  if (components[0] === STATE_DIRECTORY) throw refuse('it belongs to the transactions themselves');
  if (components.some((name) => name.length > 255)) throw refuse('a single name has at most 255 bytes');
  return components;
}

/** For the verbs of DirectoryFd. */
export function toBytes(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

/** For people. */
export function toText(path: string): string {
  return toBytes(path).toString('utf8');
}

/** `parent` is '' for the root. */
export function joined(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}

/** 0 for the root. */
export function depthOf(path: string): number {
  return path === '' ? 0 : path.split('/').length;
}

/** A path and those above it, the root left out. */
export function ancestorsOf(path: string): string[] {
  const all: string[] = [];
  for (let above = path; above !== ''; above = above.slice(0, Math.max(above.lastIndexOf('/'), 0))) all.push(above);
  return all;
}
