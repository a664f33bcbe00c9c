/**
 * Breaking a lock: a new file takes the name. Nobody can take the kernel's lock from its holder; but whoever asks from now on asks at the
 * new file, and those who wait at the old one find that out when they get it.
 */

import { type ObservedOptions, observed } from '../audit/observe.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { Claim } from './claim.js';
import type { LockHolder } from './lock-record.js';

/** Why a lock is broken, and who is told. */
export interface BreakLockOptions extends ObservedOptions, SignalOptions {
  /** For the audit trail. */
  readonly reason?: string | undefined;
}

/** @returns who held it; undefined where nobody did, and nothing was changed */
export async function breakLock(claim: Claim, options: BreakLockOptions): Promise<LockHolder | undefined> {
  const { directory, name, mode } = claim.place;
  const holder = await claim.holder();
  if (holder === undefined) return undefined;
  const path = Buffer.from(name).toString('utf8');
  const facts = { operation: 'lock.break', directory: directory.path, path, reason: options.reason, holder };
  await observed(facts, options, async () => {
    await using file = await directory.createTemporaryFile({ mode, signal: options.signal });
    await file.linkInto(directory, name, { replace: true });
  });
  return holder;
}
