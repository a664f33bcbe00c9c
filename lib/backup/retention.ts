/** Which versions are kept: of each source, whatever any of the rules keeps. */

import { type ErrorSubject, ownError } from '../errors.js';
import type { BackupVersion } from './manifest.js';

/** Rules for {@link BackupManager.prune}. They hold for the versions of each source by themselves. */
export interface RetentionPolicy {
  /** The newest so many. */
  readonly count?: number | undefined;
  /** All that are younger, in milliseconds. */
  readonly maxAge?: number | undefined;
  /** The newest of each of the last so many hours, days, weeks (ISO 8601, from Monday) and months that have one; by UTC. */
  readonly hourly?: number | undefined;
  readonly daily?: number | undefined;
  readonly weekly?: number | undefined;
  readonly monthly?: number | undefined;
}

type DatedVersion = Pick<BackupVersion, 'id' | 'created' | 'source'>;

const DAY = 86_400_000;

/** The name of the period that a time lies in. */
const PERIODS: Readonly<Record<'hourly' | 'daily' | 'weekly' | 'monthly', (time: Date) => string>> = {
  hourly: (time) => time.toISOString().slice(0, 13),
  daily: (time) => time.toISOString().slice(0, 10),
  // Days since a Monday, 5 January 1970, in sevens.
  weekly: (time) => String(Math.floor((time.getTime() / DAY - 4) / 7)),
  monthly: (time) => time.toISOString().slice(0, 7),
};

/** The ids that are kept. @throws FsError ERR_DIRFD_INVALID_ARGUMENT for a policy without a rule, which would keep nothing */
export function keptBy(
  policy: RetentionPolicy,
  versions: readonly DatedVersion[],
  now: number,
  subject: ErrorSubject,
): Set<string> {
  checkPolicy(policy, subject);
  const kept = new Set<string>();
  for (const source of new Set(versions.map((version) => version.source))) {
    const ofSource = versions.filter((version) => version.source === source);
    for (const id of keptOfOne(policy, ofSource, now)) kept.add(id);
  }
  return kept;
}

function keptOfOne(policy: RetentionPolicy, versions: readonly DatedVersion[], now: number): Set<string> {
  const newestFirst = [...versions].sort((a, b) => (a.id < b.id ? 1 : -1));
  const kept = new Set(newestFirst.slice(0, policy.count ?? 0).map(({ id }) => id));
  for (const { id, created } of newestFirst) {
    if (policy.maxAge !== undefined && now - Date.parse(created) <= policy.maxAge) kept.add(id);
  }
  for (const [rule, periodOf] of Object.entries(PERIODS)) {
    const most = policy[rule as keyof typeof PERIODS] ?? 0;
    const seen = new Set<string>();
    for (const { id, created } of newestFirst) {
      const period = periodOf(new Date(created));
      if (seen.has(period) || seen.size >= most) continue;
      seen.add(period);
      kept.add(id);
    }
  }
  return kept;
}

function checkPolicy(policy: RetentionPolicy, subject: ErrorSubject): void {
  const rules = Object.entries(policy).filter(([, value]) => value !== undefined);
  for (const [rule, value] of rules) {
    const isNumber = typeof value === 'number' && value >= 0 && (rule === 'maxAge' || Number.isInteger(value));
    if (isNumber && (rule in PERIODS || rule === 'count' || rule === 'maxAge')) continue;
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `no rule of retention: ${rule}: ${String(value)}`, subject);
  }
  if (rules.some(([, value]) => (value as number) > 0)) return;
  throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'a policy that keeps nothing would remove every version', subject);
}
