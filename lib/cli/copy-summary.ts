/** What a copy did, for people: one line, or two. */

import type { CopyReport } from '../index.js';
import { bytes, count, counted, duration } from './units.js';

export interface Manner {
  readonly dryRun?: boolean | undefined;
  readonly interrupted: boolean;
}

/** `copied 61,234 files, 4,321 directories (512 MB) in 1.23 s: 416 MB/s, 53,297 entries/s` */
export function copySummary(report: CopyReport, { dryRun, interrupted }: Manner): string {
  const made = [
    counts(report.files, 'file'),
    counts(report.directories, 'directory', 'directories'),
    counts(report.symlinks, 'symlink'),
    counts(report.hardLinks, 'hard link'),
    counts(report.specials, 'special file'),
  ].filter((text) => text !== '');
  const changed = [
    ...(made.length > 0 ? [`copied ${made.join(', ')} (${bytes(report.bytes)})`] : []),
    ...(report.updated > 0 ? [`set the metadata of ${counted(report.updated, 'entry', 'entries')}`] : []),
    ...(report.deleted > 0 ? [`deleted ${counted(report.deleted, 'entry', 'entries')}`] : []),
  ];
  const done = changed.length > 0 ? changed.join(', ') : 'nothing to do';
  const problems = [
    counts(report.errorCount, 'failure'),
    counts(report.notKeptCount, 'attribute not kept', 'attributes not kept'),
    counts(report.vanishedCount, 'entry vanished', 'entries vanished'),
  ].filter((text) => text !== '');
  const lines = [
    `${interrupted ? 'interrupted: ' : dryRun ? 'dry run: ' : ''}${done}${pace(report)}`,
    ...(problems.length > 0 ? [problems.join(', ')] : []),
  ];
  return lines.join('\n');
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
