/** `dirfd verify A B`: what differs between two trees, in everything that a copy keeps. */

import type { Command } from 'commander';
import type { Difference, VerifyEvent, VerifyJob, VerifyOptions, VerifyReport } from '../index.js';
import { addFilters, addTelling, onErrorOption, pathArgument, wholeNumber } from './arguments.js';
import { EXIT } from './exit-code.js';
import { Failures } from './failures.js';
import { interruptible } from './interrupt.js';
import { plainEvent } from './json-events.js';
import { say } from './messages.js';
import { Output } from './output.js';
import { addKeepRules, type KeepRuleFlags, keepRules } from './owner-map.js';
import { type Amount, isShown, showProgress } from './progress.js';
import { printable, printableBytes } from './terminal.js';
import { treeSize } from './tree-size.js';
import { bytes, count, counted, duration } from './units.js';

interface Options extends Omit<VerifyOptions, 'signal' | 'chmod' | 'ownerMap'>, KeepRuleFlags {
  readonly quick?: true;
  readonly json?: true;
  readonly progress?: boolean;
  readonly quiet?: true;
}

export function define(command: Command): void {
  command
    .description(
      'List each difference between two directories: bytes, modes, owners, nanosecond times, xattrs, ACLs, capabilities, hard links, symlink ' +
        'targets, devices, holes. Both trees are only read. The exit code is 0 where they are the same, 1 where they differ, and 23 where ' +
        'something could not be read.',
    )
    .argument('<A>', 'a directory', pathArgument)
    .argument('<B>', 'a directory', pathArgument)
    .optionsGroup('What is compared:');
  addFilters(command, 'A');
  command
    .option('--quick', 'read no byte of files whose size and modification time are the same')
    .option('--no-owner', 'not owner and group')
    .option('--no-xattrs', 'not extended attributes and file capabilities')
    .option('--no-acl', 'not POSIX ACLs')
    .option('--no-times', 'not modification times')
    .option('--no-holes', 'not where holes lie')
    .option('--no-hard-links', 'not which names are one file')
    .option('--flags', 'inode flags too')
    .option('--project-ids', 'project ids too')
    .optionsGroup('What of A is another in B:');
  addKeepRules(command);
  command
    .optionsGroup('How:')
    .addOption(onErrorOption('an entry that cannot be read'))
    .option('-j, --concurrency <n>', 'threads (default: two a processor, at most 8)', wholeNumber(1, 256));
  addTelling(command, 'a line: differences, errors, and at last the report', 'bar', 'differences and failures')
    .addHelpText(
      'after',
      `
Examples:
  dirfd verify photos /mnt/photos
  dirfd verify --quick --no-owner / /mnt/root | less
  dirfd verify -q a b > differences && echo the same`,
    )
    .action(verify);
}

async function verify(a: string | Buffer, b: string | Buffer, flags: Options): Promise<void> {
  const { verifyTree, diffTree } = await import('../main.js');
  const { quick, json, progress, quiet, chown, usermap, groupmap, chmod, ...options } = flags;
  using interruption = interruptible();
  const { signal } = interruption;
  const job = (quick ? diffTree : verifyTree)(a, b, {
    ...options,
    ...keepRules({ chown, usermap, groupmap, chmod }),
    signal,
  });
  const output = new Output();
  const failures = new Failures('dirfd verify');
  const tell = teller(output, failures, json === true);
  const total = isShown(progress && !quiet) ? treeSize(a, { ...options, hardLinks: false }, signal) : undefined;
  const failure = await follow(job, tell, total);
  const { report } = job;
  // A or B could not be opened: of what was not begun there is nothing to sum up.
  const begun = failure === undefined || signal.aborted || report.entries > 0;
  if (json) await output.json(begun ? plainReport(report) : plainError(failure));
  await output.end();
  if (failure !== undefined && !signal.aborted && failures.count === 0) failures.add(failure);
  failures.end();
  if (!quiet && begun) say(summary(report, signal.aborted));
  process.exitCode = interruption.exitCode ?? (failure === undefined ? report.exitCode : EXIT.failed);
}

type Tell = (event: VerifyEvent) => Promise<void> | undefined;

function teller(output: Output, failures: Failures, json: boolean): Tell {
  return (event) => {
    if (event.type === 'error') failures.add(event.error);
    if (json) return output.json(plainEvent(event));
    if (event.type === 'error') return undefined;
    output.write(`${event.field.padEnd(10)} `);
    if (output.isTTY) output.write(printableBytes(event.pathBytes) || '.');
    else output.writeBytes(event.pathBytes.length > 0 ? event.pathBytes : Buffer.from('.'));
    return output.write(`${sides(event)}\n`);
  };
}

/** `: 0644 in A, 0600 in B` */
function sides({ field, attribute, a, b }: Difference): string {
  const name = attribute === undefined ? '' : ` ${printable(attribute)}`;
  if (field === 'missing' || field === 'extra') return ` (a ${a ?? b})`;
  if (a === b && a !== undefined) return `${name}: ${a}`;
  return `${name}: ${a ?? 'none'} in A, ${b ?? 'none'} in B`;
}

/** Tells events until the comparison ends. @returns what it failed with */
async function follow(job: VerifyJob, tell: Tell, total: (() => Amount | undefined) | undefined): Promise<unknown> {
  using _bar = total && (await showProgress({ verb: 'comparing', done: () => job.progress, total }));
  try {
    for await (const event of job) await tell(event);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The counts of a report: its lists have been told one by one. */
function plainReport({ differences: _differences, errors: _errors, ...counts }: VerifyReport): unknown {
  return { type: 'report', ...counts };
}

function plainError(failure: unknown): unknown {
  const { code, message } = failure as { readonly code?: string; readonly message: string };
  return { type: 'error', code, message };
}

function summary(report: VerifyReport, interrupted: boolean): string {
  const seconds = report.milliseconds / 1000;
  const found = report.same
    ? 'no difference'
    : [
        counted(report.differenceCount, 'difference'),
        ...(report.errorCount > 0 ? [counted(report.errorCount, 'failure')] : []),
      ].join(', ');
  const read = report.files > 0 ? `, ${bytes(report.bytes)} read` : '';
  const rate = seconds > 0 ? `: ${count(Math.round(report.entries / seconds))} entries/s` : '';
  const start = interrupted ? 'interrupted: ' : '';
  return `${start}${found} in ${counted(report.entries, 'entry', 'entries')}${read} in ${duration(seconds)}${rate}`;
}
