/** What a dry run counts: what each decision would come to, if nothing changed and nothing failed. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { Stat } from '../dirfd/stat.js';
import { DECISION, type Decision } from '../native/trees.js';
import { walk } from '../walk/walk.js';
import { isAlike } from './decide.js';
import type { Settled } from './options.js';
import type { ReportBuilder } from './report.js';

type Kept = Pick<Settled, 'hardLinks' | 'owner' | 'times'>;

export class Forecast {
  readonly #report: ReportBuilder;
  readonly #options: Kept;
  /** Files of several names, by the first of them. */
  readonly #seen = new Set<string>();

  constructor(report: ReportBuilder, options: Kept) {
    this.#report = report;
    this.#options = options;
  }

  entry(decision: Decision, stat: Stat, present: Stat | undefined): void {
    if (decision === DECISION.skip || decision === DECISION.enterDirectory) return;
    const isFurtherName = this.#isFurtherName(stat);
    const isSameFile = decision === DECISION.metadata;
    if (isSameFile && present && (isFurtherName ? present.nlink > 1 : isAlike(stat, present, this.#options))) return;
    this.#report.predict(stat, { isFurtherName, isUpdate: isSameFile && stat.isFile() && present?.nlink === 1 });
  }

  async deletion(root: DirectoryFd, path: Buffer, stat: Stat): Promise<void> {
    let entries = 1;
    if (stat.isDirectory()) {
      await using directory = await root.openDirectory(path);
      for await (const batch of walk(directory).batches()) entries += batch.length;
    }
    this.#report.countDeleted(entries);
  }

  #isFurtherName(stat: Stat): boolean {
    if (!this.#options.hardLinks || stat.isDirectory() || stat.nlink < 2) return false;
    const key = `${stat.mountId}:${stat.dev}:${stat.ino}`;
    const isFurther = this.#seen.has(key);
    this.#seen.add(key);
    return isFurther;
  }
}
