/** Tells what becomes of each entry, where somebody wants to know: in events for `itemize`, in counts for a dry run. */

import type { Kind } from '../dirfd/kind.js';
import type { Stat } from '../dirfd/stat.js';
import { CHANGE, DECISION, type Decision, STEP } from '../native/trees.js';
import { canCompare } from './decide.js';
import type { CopyEntryEvent, CopyEvent } from './events.js';
import { itemized } from './itemize.js';
import type { Settled } from './options.js';
import type { ReportBuilder } from './report.js';

export class Itemizer {
  /** Bits of STEP for what stands at the destination already; 0 where nobody wants to know. */
  readonly tells: number;
  readonly #options: Settled;
  readonly #report: ReportBuilder;
  readonly #emit: (event: CopyEvent) => void;

  constructor(options: Settled, report: ReportBuilder, emit: (event: CopyEvent) => void) {
    this.#options = options;
    this.#report = report;
    this.#emit = emit;
    this.tells = options.dryRun ? STEP.tells | STEP.onlyTells : options.itemize ? STEP.tells : 0;
  }

  /** What to hand to native code. What stands there is compared first, where that is to be told; all else is told now. */
  step(decision: Decision, stat: Stat, present: Stat | undefined, path: () => Buffer): number {
    const { dryRun } = this.#options;
    if (this.tells === 0 || decision === DECISION.enterDirectory || decision === DECISION.skip) {
      return dryRun ? DECISION.skip : decision;
    }
    if (canCompare(decision, stat, present)) return decision | this.tells;
    this.#entry(present ? 'replace' : 'create', stat.kind, path, CHANGE.new);
    if (!dryRun) return decision;
    this.#report.predict(stat, false);
    return DECISION.skip;
  }

  /** An entry was compared with what stood there, and was made again or set right where it differs, or would be. */
  changed(stat: Stat, path: () => Buffer, changes: number): void {
    if (changes === 0) return;
    if (this.#options.dryRun) this.#report.predict(stat, (changes & CHANGE.anew) === 0);
    const isReplaced = stat.isFile() || !this.#options.update ? changes & CHANGE.anew : changes & CHANGE.content;
    this.#entry(isReplaced ? 'replace' : 'metadata', stat.kind, path, changes);
  }

  /** A directory that stays, itself. */
  directory(path: Buffer, changes: number): void {
    this.#entry('metadata', 'directory', () => path, changes);
  }

  /** A further name has become, or would become, a link to the first. */
  linked(kind: Kind, path: Buffer, changes: number, first: Buffer): void {
    this.#entry(changes & CHANGE.new ? 'create' : 'replace', kind, () => path, changes, first.toString('utf8'));
  }

  /** The same in a directory that a dry run has not made. */
  foretellLink(kind: Kind, path: Buffer, first: Buffer): void {
    this.#report.count({ links: 1 });
    this.linked(kind, path, CHANGE.new, first);
  }

  deleted(kind: Kind, path: Buffer): void {
    this.#entry('delete', kind, () => path, 0);
  }

  #entry(action: CopyEntryEvent['action'], kind: Kind, path: () => Buffer, changes: number, linkTo?: string): void {
    if (!this.#options.itemize) return;
    const pathBytes = path();
    const isLink = linkTo !== undefined;
    this.#emit({
      type: 'entry',
      ...{ action, kind, path: pathBytes.toString('utf8'), pathBytes },
      changes: itemized(action, kind, changes, isLink),
      ...(isLink ? { linkTo } : {}),
    });
  }
}
