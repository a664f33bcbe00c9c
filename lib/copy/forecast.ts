/** What a dry run counts: what the run would do, if nothing changed and nothing failed. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { Stat } from '../dirfd/stat.js';
import { CHANGE } from '../native/trees.js';
import { walk } from '../walk/walk.js';
import type { ReportBuilder } from './report.js';

export class Forecast {
  readonly #report: ReportBuilder;

  constructor(report: ReportBuilder) {
    this.#report = report;
  }

  /** @param changes in what it differs from what stands there: bits of CHANGE, 0 for nothing to do */
  entry(stat: Stat, changes: number): void {
    if (changes !== 0) this.#report.predict(stat, (changes & (CHANGE.anew | CHANGE.new)) === 0);
  }

  async deletion(root: DirectoryFd, path: Buffer, stat: Stat): Promise<void> {
    let entries = 1;
    if (stat.isDirectory()) {
      await using directory = await root.openDirectory(path);
      for await (const batch of walk(directory).batches()) entries += batch.length;
    }
    this.#report.countDeleted(entries);
  }
}
