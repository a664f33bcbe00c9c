/**
 * Who waits for whom in this thread. The kernel looks for no deadlocks among open-file-description locks; a cycle inside one process is
 * found here, in the moment that it would close:
 *
 *   owner ──waits for──▶ lock file ──is held by, or before it waits──▶ owner ──▶ …
 */

import type { ErrorSubject } from '../errors.js';
import { AlreadyLockedError, DeadlockError, type LockError, operationError } from '../operation-errors.js';
import { type Owner, ownerName } from './owner.js';

/** A request in some queue. */
export interface Wait {
  readonly owner: Owner;
  /** The owners that it waits for: who holds the lock, and who stands before it. */
  ahead(): Iterable<Owner>;
}

const waits = new Map<Owner, Set<Wait>>();

export function addWait(wait: Wait): void {
  const known = waits.get(wait.owner);
  if (known) known.add(wait);
  else waits.set(wait.owner, new Set([wait]));
}

export function removeWait(wait: Wait): void {
  const known = waits.get(wait.owner);
  known?.delete(wait);
  if (known?.size === 0) waits.delete(wait.owner);
}

/** The owners from `wait` round to itself, if there is such a way; the last one waits for the first. */
export function findCycle(wait: Wait): readonly Owner[] | undefined {
  const seen = new Set<Owner>();
  // A stack of its own: a chain of waits may be longer than the call stack.
  const path: { readonly owner: Owner; readonly next: Iterator<Owner> }[] = [
    { owner: wait.owner, next: wait.ahead()[Symbol.iterator]() },
  ];
  for (;;) {
    const last = path.at(-1);
    if (last === undefined) return undefined;
    const { value: owner, done } = last.next.next();
    if (done) path.pop();
    else if (owner === wait.owner) return path.map((step) => step.owner);
    else if (!seen.has(owner)) {
      seen.add(owner);
      path.push({ owner, next: aheadOf(owner) });
    }
  }
}

/** What who would close such a cycle is told. */
export function deadlockError(owners: readonly Owner[], subject: ErrorSubject): LockError {
  const cycle = owners.map(ownerName);
  if (cycle.length === 1) {
    const why = `'${cycle[0]}' holds this lock, or waits for it, already`;
    return operationError(AlreadyLockedError, 'ERR_DIRFD_LOCK', why, subject);
  }
  const told = [...cycle, cycle[0]].map((owner) => `'${owner}'`).join(' waits for ');
  return operationError(DeadlockError, 'ERR_DIRFD_DEADLOCK', `deadlock: ${told}`, subject, undefined, cycle);
}

function* aheadOf(owner: Owner): Generator<Owner, undefined> {
  for (const wait of waits.get(owner) ?? []) yield* wait.ahead();
}
