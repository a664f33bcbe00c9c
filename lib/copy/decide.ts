/** What is to become of one entry, given what stands at the destination under its name. */

import type { Stat } from '../dirfd/stat.js';
import { DECISION, type Decision } from '../native/trees.js';
import type { CopyEntryEvent } from './events.js';
import { linkKey } from './hard-links.js';
import type { Settled } from './options.js';

export type Policy = Pick<Settled, 'existing' | 'update' | 'delete' | 'hardLinks'>;

/** A conflict that the options do not resolve: the errno's name, and why. */
export interface Refusal {
  readonly code: 'EEXIST' | 'EISDIR' | 'ENOTDIR' | 'ENOTEMPTY';
  readonly why: string;
}

/** What a decision is called in events. */
export const ACTIONS: Readonly<Partial<Record<Decision, CopyEntryEvent['action']>>> = {
  [DECISION.create]: 'create',
  [DECISION.makeDirectory]: 'create',
  [DECISION.replace]: 'replace',
  [DECISION.replaceByDirectory]: 'replace',
  [DECISION.replaceTree]: 'replace',
  [DECISION.metadata]: 'metadata',
};

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
    const [key, keeper] = [linkKey(source), this.#keepers.get(linkKey(present))];
    if (keeper === undefined) this.#keepers.set(linkKey(present), key);
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

/** The same content, as far as size and modification time tell. Links and devices are compared natively, by what they are. */
function isUnchanged(source: Stat, present: Stat, { hardLinks }: Policy): boolean {
  if (source.kind !== present.kind) return false;
  // One name there, several here: it must not stay linked to what it is no part of.
  if (present.nlink > 1 && (source.nlink === 1 || !hardLinks)) return false;
  if (!source.isFile()) return true;
  return source.size === present.size && source.mtimeNs === present.mtimeNs;
}

/** Whether there is anything to set right only native code can tell, by attributes, ACLs and link targets. */
export function looksAlike(
  decision: Decision | Refusal,
  source: Stat,
  present: Stat | undefined,
  options: Pick<Settled, 'owner' | 'times'>,
): boolean {
  return decision === DECISION.metadata && present !== undefined && isAlike(source, present, options);
}

/** Nothing that stat tells would be changed. Attributes are not compared. */
export function isAlike(source: Stat, present: Stat, { owner, times }: Pick<Settled, 'owner' | 'times'>): boolean {
  const sameOwner = !owner || (source.uid === present.uid && source.gid === present.gid);
  const sameTimes = !times || source.mtimeNs === present.mtimeNs;
  return sameOwner && sameTimes && source.mode === present.mode && source.size === present.size;
}
