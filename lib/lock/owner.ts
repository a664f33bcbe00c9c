/** Who waits and who holds, by name: what the search for deadlocks goes by, within one process. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { type ErrorSubject, ownError } from '../errors.js';

/** A name, the same for all that one task does; or, of a claim that gave none, a symbol that nobody else has. */
export type Owner = string | symbol;

const current = new AsyncLocalStorage<string>();
let unnamed = 0;

/**
 * Runs `work` with a name for all locks that are asked for in it, also after `await`. Two locks of one name that wait for each other's
 * are a deadlock, which is found at once; without names it ends only when the time is over.
 */
export function withLockOwner<T>(owner: string, work: () => T): T {
  checkOwner(owner, { verb: 'withLockOwner' });
  return current.run(owner, work);
}

export function ownerOf(given: string | undefined, subject: ErrorSubject): Owner {
  if (given !== undefined) return checkOwner(given, subject);
  return current.getStore() ?? Symbol(`unnamed ${++unnamed}`);
}

/** For people. */
export function ownerName(owner: Owner): string {
  return typeof owner === 'string' ? owner : (owner.description ?? 'unnamed');
}

function checkOwner(owner: string, subject: ErrorSubject): string {
  if (typeof owner === 'string' && owner !== '') return owner;
  throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'owner must be a text that is not empty', subject);
}
