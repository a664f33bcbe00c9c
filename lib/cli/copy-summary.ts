/** What a copy did, for people, in one line. */

import type { CopyReport } from '../index.js';
import { bytes, count, counted, duration } from './units.js';

export interface Manner {
  readonly dryRun?: boolean | undefined;
  readonly interrupted: boolean;
  /** The copy ended with an error. */
  readonly failed: boolean;
}

/** `copied 61,234 files, 4,321 directories (512 MB) in 1.23 s: 416 MB/s, 53,297 entries/s; 2 failures` */
export function copySummary(report: CopyReport, manner: Manner): string {
  const { dryRun, interrupted } = manner;
  const verb = dryRun
    ? { copied: 'would copy', set: 'would set', deleted: 'would delete' }
    : { copied: 'copied', set: 'set', deleted: 'deleted' };
  const made = listed([
    counts(report.files, 'file'),
    counts(report.directories, 'directory', 'directories'),
    counts(report.symlinks, 'symlink'),
    counts(report.hardLinks, 'hard link'),
    counts(report.specials, 'special file'),
  ]);
  const done = listed([
    made === '' ? '' : `${verb.copied} ${made} (${bytes(report.bytes)})`,
    report.updated === 0 ? '' : `${verb.set} the metadata of ${counted(report.updated, 'entry', 'entries')}`,
    report.deleted === 0 ? '' : `${verb.deleted} ${counted(report.deleted, 'entry', 'entries')}`,
  ]);
  const problems = listed([
    counts(report.errorCount, 'failure'),
    counts(report.notKeptCount, 'attribute not kept', 'attributes not kept'),
    counts(report.vanishedCount, 'entry vanished', 'entries vanished'),
    counts(report.retries, 'retry', 'retries'),
    report.deletionsSkipped ? 'nothing deleted, because of that' : '',
  ]);
  const start = interrupted ? 'interrupted: ' : '';
  return `${start}${done || nothing(report, manner)}${dryRun ? '' : pace(report)}${problems && `; ${problems}`}`;
}

/** That there is nothing to do is known only to who could look at everything. */
function nothing({ errorCount }: CopyReport, { dryRun, interrupted, failed }: Manner): string {
  if (errorCount === 0 && !interrupted && !failed) return 'nothing to do';
  return dryRun ? 'nothing found to do' : 'nothing was copied';
}

function listed(texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join(', ');
}

function pace({ milliseconds, files, directories, symlinks, hardLinks, specials, bytes: size }: CopyReport): string {
  const seconds = milliseconds / 1000;
  const entries = files + directories + symlinks + hardLinks + specials;
  const took = ` in ${duration(seconds)}`;
  if (entries === 0 || seconds === 0) return took;
  return `${took}: ${bytes(Math.round(size / seconds))}/s, ${count(Math.round(entries / seconds))} entries/s`;
}

function counts(value: number, one: string, many?: string): string {
  return value === 0 ? '' : counted(value, one, many);
}
