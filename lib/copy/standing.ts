/** What stands at the destination: under which names, and how it goes. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { PackedBatch } from '../dirfd/entries.js';
import { INTERNAL } from '../dirfd/fd.js';
import type { Stat } from '../dirfd/stat.js';
import { native } from '../native/load.js';
import type { NativeJob } from '../native/surface.js';
import { joinPath, type ReportBuilder } from './report.js';

/** By name, each byte a character; what cannot be stat'ed is left out. */
export function standing(listed: Buffer | undefined): Map<string, Stat> {
  const present = listed && new PackedBatch(listed);
  const there = new Map<string, Stat>();
  for (let i = 0; present && i < present.length; i++) {
    if (!present.isError(i)) there.set(present.nameBytes(i).toString('latin1'), present.stat(i));
  }
  return there;
}

/** Removes what the source does not have. What is mounted there is somebody else's tree: EXDEV, and it stays. */
export async function removeStanding(
  root: DirectoryFd,
  path: Buffer,
  { job, report, fail }: { job: NativeJob; report: ReportBuilder; fail(failure: unknown, path: Buffer): void },
): Promise<void> {
  try {
    const removed = await native.removeTree(root[INTERNAL].handle, path, true, job, false);
    report.countDeleted(removed.entries);
    for (const failure of removed.failures) fail({ ...failure, subject: 2 }, joinPath(path, failure.path));
  } catch (failure) {
    fail(failure, path);
  }
}
