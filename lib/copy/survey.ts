/**
 * A look over a tree that was copied before, all of it native: which directories have anything in them that a copy would change. The copy then
 * visits these, and the directories above them, and no other.
 */

import { native } from '../native/load.js';
import type { NativeCopy } from '../native/trees.js';
import type { Settled } from './options.js';

export interface Visit {
  /** What lies below has been looked at. */
  readonly isKnownBelow: boolean;
  /** Its own entries are as they should be, and have been counted. */
  readonly isSeen: boolean;
}

/** By path. */
export type Visits = ReadonlyMap<string, Visit>;

/** Undefined: everything is to be visited. */
export async function survey(copy: NativeCopy, options: Settled): Promise<Visits | undefined> {
  const look = native.newSurvey(copy, options.delete !== false, options.oneFileSystem, options.concurrency);
  const parts = Array.from({ length: options.concurrency }, () => native.surveyWork(look));
  // All of them, also where one fails: none may be out when the copy ends.
  const refused = (await Promise.allSettled(parts)).find((part) => part.status === 'rejected');
  if (refused) throw refused.reason;
  const packed = native.takeSurvey(look);
  if (!packed) return undefined;
  // No path holds a NUL; the last one ends with it.
  const told = packed.toString('latin1').split('\0').slice(0, -1);
  return new Map(told.map((line) => [line.slice(1), { isKnownBelow: line[0] !== 'u', isSeen: line[0] === 'b' }]));
}

/** Whether a survey can tell what a copy with these options would do. Files that are read anyway are read once. */
export function canSurvey({ update, checksum, existing, filter, flags, projectIds }: Settled): boolean {
  return update && !checksum && existing === 'replace' && !filter && !flags && !projectIds;
}
