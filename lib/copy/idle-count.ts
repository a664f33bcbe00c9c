/** Counts entries of a directory for which nothing is to be done, for the job's progress: native code counts all others as it comes to them. */

import type { Stat } from '../dirfd/stat.js';
import { native } from '../native/load.js';
import type { NativeJob } from '../native/surface.js';

export class IdleCount {
  readonly #hardLinks: boolean;
  #entries = 0;
  #bytes = 0;

  constructor(hardLinks: boolean) {
    this.#hardLinks = hardLinks;
  }

  add(stat: Stat): void {
    this.#entries++;
    this.#bytes += contentOf(stat, this.#hardLinks);
  }

  tell(job: NativeJob): void {
    if (this.#entries > 0) native.countUnchanged(job, this.#entries, Math.floor(this.#bytes));
  }
}

/** Bytes that a copy of this name adds: holes are not copied, and a file with several names is copied once. */
export function contentOf(stat: Stat, hardLinks: boolean): number {
  if (!stat.isFile()) return 0;
  return Math.min(Number(stat.exactSize), stat.blocks * 512) / (hardLinks ? stat.nlink : 1);
}
