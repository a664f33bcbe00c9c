/** What is to become of one entry, given what stands at the destination under its name. */

import type { Stat } from '../dirfd/stat.js';
import { DECISION, type Decision } from '../native/trees.js';
import { linkKey } from './hard-links.js';
import type { Settled } from './options.js';

export type Policy = Pick<Settled, 'existing' | 'update' | 'checksum' | 'delete' | 'hardLinks'>;

/** A conflict that the options do not resolve: the errno's name, and why. */
export interface Refusal {
  readonly code: 'EEXIST' | 'EISDIR' | 'ENOTDIR' | 'ENOTEMPTY' | 'ERR_DIRFD_DELETE_LIMIT';
  readonly why: string;
}

/** A directory that should give way to something else must not take with it what the filters leave out. */
export const PROTECTED: Refusal = {
  code: 'ENOTEMPTY',
  why: 'a directory stands there that holds what the filters protect',
};

/** Decides for one whole copy. */
export class Decider {
  readonly #policy: Policy;
  /** Files at the destination that have several names, and what in the source they are taken for. */
  readonly #keepers = new Map<string, string>();

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  /**
   * Two files of the source may stand at the destination as two names of one: the first to come keeps it, the other is made anew. Decided
   * before anything is done, so that neither ever gets the other's metadata.
   */
  decide(source: Stat, present: Stat | undefined): Decision | Refusal {
    const decision = decide(source, present, this.#policy);
    if (decision !== DECISION.metadata || !present || present.nlink < 2 || source.isDirectory()) return decision;
    const [key, kept] = [source, present].map((stat) => linkKey(stat).toString('latin1')) as [string, string];
    const keeper = this.#keepers.get(kept);
    if (keeper === undefined) this.#keepers.set(kept, key);
    return keeper === undefined || keeper === key ? decision : DECISION.replace;
  }
}

export function decide(source: Stat, present: Stat | undefined, policy: Policy): Decision | Refusal {
  if (source.isDirectory()) return decideDirectory(present, policy);
  if (present === undefined) return DECISION.create;
  if (policy.existing === 'keep') return DECISION.skip;
  if (policy.existing === 'error') return { code: 'EEXIST', why: 'it exists at the destination' };
  if (present.isDirectory()) {
    if (policy.delete) return DECISION.replaceTree;
    return { code: 'EISDIR', why: 'a directory stands there, which gives way only with delete' };
  }
  return policy.update && isUnchanged(source, present, policy) ? DECISION.metadata : DECISION.replace;
}

function decideDirectory(present: Stat | undefined, policy: Policy): Decision | Refusal {
  if (present === undefined) return DECISION.makeDirectory;
  if (present.isDirectory()) return DECISION.enterDirectory;
  if (policy.existing === 'replace') return DECISION.replaceByDirectory;
  if (policy.existing === 'keep') return DECISION.skip;
  return { code: 'EEXIST', why: 'something that is no directory exists at the destination' };
}

/** The same content, as far as stat tells. Links and devices are compared natively, by what they are; bytes, where they are to be, too. */
function isUnchanged(source: Stat, present: Stat, { checksum, hardLinks }: Policy): boolean {
  if (source.kind !== present.kind) return false;
  // One name there, several here: it must not stay linked to what it is no part of.
  if (present.nlink > 1 && (source.nlink === 1 || !hardLinks)) return false;
  if (!source.isFile()) return true;
  return source.exactSize === present.exactSize && (checksum || source.mtimeNs === present.mtimeNs);
}

/** What stands there is compared before it is touched, where somebody wants to know in what it differs. */
export function canCompare(decision: Decision, source: Stat, present: Stat | undefined): present is Stat {
  if (!present || source.kind !== present.kind) return false;
  return decision === DECISION.metadata || decision === DECISION.replace;
}
