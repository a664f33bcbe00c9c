/**
 * Makes the names of files that have several: which name is copied as the first is settled by HardLinks, the others become links to it, and where the
 * file system has no more links to give, files of their own.
 */

import { PackedBatch } from '../dirfd/entries.js';
import { native } from '../native/load.js';
import type { NativeJob } from '../native/surface.js';
import {
  ASPECTS,
  DECISION,
  type NativeApplied,
  type NativeCopy,
  type NativeFirstCopy,
  type NativePair,
  STATE,
} from '../native/trees.js';
import type { Directory } from './directory.js';
import { type First, HardLinks, type LinkKey, linkKey, type Name, type Undecided } from './hard-links.js';
import { contentOf } from './idle-count.js';
import type { Itemizer } from './itemizer.js';
import type { Scheduler } from './scheduler.js';

/** The aspect of a link that could not be made, among ASPECTS. */
const HARD_LINK = ASPECTS.indexOf('hard-link');

const NO_TICKET = Buffer.alloc(0);

export interface LinkingContext {
  readonly copy: NativeCopy;
  readonly job: NativeJob;
  readonly scheduler: Scheduler;
  readonly itemizer: Itemizer;
  /** Copies entries, and says done() or failed() of the firsts among them. */
  apply(directory: Directory, from: number, steps: Uint8Array, firsts: readonly First[]): void;
  count(applied: NativeApplied, directory: Directory): void;
  fail(failure: unknown, path: Buffer): void;
  /** Something that the directory counted as outstanding, in `own`, has come to its end. */
  ended(directory: Directory): void;
}

export class Linking {
  readonly #context: LinkingContext;
  readonly #links: HardLinks<Directory>;

  constructor(context: LinkingContext) {
    this.#context = context;
    this.#links = new HardLinks(context.copy);
  }

  /** True where this name is to be copied as the first; else it is seen to. */
  claim(name: Name<Directory>): boolean {
    const claimed = this.#links.claim(linkKey(name.stat), name.stat.nlink, name);
    if (claimed === 'first') return true;
    name.directory.own++;
    if (claimed) this.#link(name, claimed);
    return false;
  }

  /** Names in a directory where nothing else is to be decided: one call copies all that are first. */
  claimAll(directory: Directory, entries: readonly Undecided[]): void {
    const firsts: First[] = [];
    for (const { index, stat, path } of entries) {
      const name = { directory, index, path, decision: DECISION.create, stat, present: undefined };
      if (this.claim(name)) firsts.push({ key: linkKey(stat), index, path });
    }
    const [first, last] = [firsts[0], firsts.at(-1)];
    if (!first || !last) return;
    const steps = new Uint8Array(last.index - first.index + 1);
    for (const { index } of firsts) steps[index - first.index] = DECISION.create;
    this.#context.apply(directory, first.index, steps, firsts);
  }

  /** The first of a file's names is complete: so are those that have waited for it. */
  done(key: LinkKey, first: NativeFirstCopy): void {
    for (const name of this.#links.done(key, first)) this.#link(name, first);
  }

  /** The first could not be copied: the next that waits is, whose directory counts it as outstanding already. */
  failed(key: LinkKey): void {
    const next = this.#links.failed(key);
    if (!next) return;
    const { directory, index, path, decision, stat, present } = next;
    const { itemizer, apply, ended } = this.#context;
    const step = itemizer.step(decision, stat, present, () => path);
    if (step === DECISION.skip) this.done(key, { path, ticket: NO_TICKET });
    else apply(directory, index, Uint8Array.of(step), [{ key, index, path }]);
    ended(directory);
  }

  #link(name: Name<Directory>, first: NativeFirstCopy): void {
    const { scheduler, fail, ended } = this.#context;
    scheduler.push(async () => {
      try {
        await this.#linkNow(name, first);
      } catch (failure) {
        fail(failure, name.path);
      } finally {
        ended(name.directory);
      }
    });
  }

  async #linkNow({ directory, index, path, decision, stat, present }: Name<Directory>, first: NativeFirstCopy) {
    const { copy, job, itemizer, apply, count } = this.#context;
    if (directory.state === STATE.none) {
      native.countUnchanged(job, 1, Math.floor(contentOf(stat, true)));
      return itemizer.foretellLink(stat.kind, path, first.path);
    }
    const how = (decision === DECISION.metadata ? DECISION.replace : decision) | itemizer.tells;
    const applied = await native.copyLink(copy, directory.pair as NativePair, index, first.path, first.ticket, how);
    count(applied, directory);
    const changes = applied.changes?.[0];
    if (changes !== undefined && applied.entries)
      itemizer.linked(new PackedBatch(applied.entries).stat(0).kind, path, changes, first.path);
    // The file system has no more links to give: the content, then, under a name of its own.
    if (!applied.problems?.some(({ aspect }) => aspect === HARD_LINK)) return;
    apply(directory, index, Uint8Array.of(itemizer.step(decision, stat, present, () => path)), []);
  }
}
