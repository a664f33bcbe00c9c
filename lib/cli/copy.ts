/** `dirfd copy SRC DST`, and what `dirfd sync` shares with it. */

import { type Command, Option } from 'commander';
import type { CopyJob, CopyOptions } from '../index.js';
import { addFilters, addTelling, ENGINES, onErrorOption, pathArgument, rate, wholeNumber } from './arguments.js';
import { CopyTeller, plainReport } from './copy-events.js';
import { copySummary } from './copy-summary.js';
import { EXIT } from './exit-code.js';
import { interruptible } from './interrupt.js';
import { CommandError, say } from './messages.js';
import { Output } from './output.js';
import { addKeepRules, type KeepRuleFlags, keepRules } from './owner-map.js';
import { type Amount, isShown, showProgress } from './progress.js';
import { treeSize } from './tree-size.js';

export function define(command: Command): void {
  command.description(
    'Make DST a copy of SRC: all bytes and all metadata (modes, owners, nanosecond times, xattrs, ACLs, capabilities, hard links, holes, ' +
      'symlinks, FIFOs, sockets, devices). SRC is a directory or a file; there is no rule about trailing slashes. What cannot be kept is told.',
  );
  addArguments(command);
  command
    .optionsGroup('What is copied:')
    .option('-u, --update', 'leave files alone whose size and modification time are the same')
    .option('-c, --checksum', 'compare the bytes of files of one size, not their times; implies --update')
    .option('--delete', 'remove from DST what SRC does not have, directory by directory');
  addOptions(command);
  command
    .addHelpText(
      'after',
      `
Accepted, for it is what copy does anyway: -a -r -R -p -H -A -X --progress.

Examples:
  dirfd copy /usr/include /tmp/include          DST is made, or brought in line
  dirfd copy -n --delete photos /mnt/photos     what would be done?
  dirfd copy -x / /mnt/root                     without what is mounted below
  dirfd copy --gitignore --exclude='*.log' project /mnt/project
  dirfd copy --json data backup | jq 'select(.type == "not-kept")'`,
    )
    .action((source, destination, options) => copy('dirfd copy', source, destination, options));
}

export function addArguments(command: Command): void {
  command
    .argument('<SRC>', 'a directory or a file', pathArgument)
    .argument('<DST>', 'becomes the copy; its parent must exist', pathArgument);
}

const CHOICES = ['auto', 'always', 'never'];

export function addOptions(command: Command): void {
  addFilters(command);
  command
    .option('--delete-before', 'remove from DST what SRC does not have, before anything is copied')
    .option('--delete-after', 'remove it after everything is copied, and only if nothing has failed')
    .option('--max-delete <n>', 'remove no more than that many entries; what stays is a failure', wholeNumber())
    .option('--delete-excluded', 'with --delete, remove from DST what is left out, too')
    .option('-x, --one-file-system', 'leave out what is mounted below SRC; mount points become empty directories')
    .addOption(
      new Option('--existing <policy>', 'what an entry that is in DST already means')
        .choices(['replace', 'keep', 'error'])
        .default('replace'),
    )
    .optionsGroup('What is kept:')
    .option('--no-owner', 'do not keep owner and group')
    .option('--no-xattrs', 'do not keep extended attributes and file capabilities')
    .option('--no-acl', 'do not keep POSIX ACLs')
    .option('--no-times', 'do not keep modification times')
    .option('--no-hard-links', 'make a file of each name of a file')
    .option('--access-times', 'keep access times too')
    .option('--flags', 'keep inode flags too: immutable, append-only, nodump (chattr)')
    .option('--project-ids', 'keep project ids too');
  addKeepRules(command);
  command
    .optionsGroup('How:')
    .option('-n, --dry-run', 'change nothing, list what would be done')
    .addOption(
      new Option('--reflink <when>', 'share blocks with SRC instead of copying them').choices(CHOICES).default('auto'),
    )
    .addOption(
      new Option('--sparse <when>', 'holes: as in SRC (auto), for all zeros (always), or none (never)')
        .choices(CHOICES)
        .default('auto'),
    )
    .option('-S', 'the same as --sparse=always')
    .addOption(
      new Option('--fsync <when>', 'have it on the disk: each file at once, or all at the end')
        .choices(['none', 'end', 'each'])
        .default('none'),
    )
    .addOption(onErrorOption('an entry that cannot be copied'))
    .option('--verify', 'read each file back from the disk and compare it; what differs is removed and told')
    .option('--bwlimit <rate>', 'bytes a second at most, in KiB without a unit: 500, 1.5M, 10MB', rate)
    .option(
      '--retries <n>',
      'how often to try again what may pass: EAGAIN, EBUSY, ESTALE and the like',
      wholeNumber(0, 1_000_000),
    )
    .option('--retry-delay <ms>', 'milliseconds before another try (default: 200)', wholeNumber(0, 3_600_000))
    .addOption(
      new Option(
        '--resume',
        'keep a file of 4 MiB and more that is cut off, and go on with it the next time; not with --atomic, --flags',
      ).conflicts(['atomic', 'flags']),
    )
    .option('--atomic', 'copy beside DST, then put the whole tree in its place at once; to replace DST, --delete')
    .addOption(new Option('--engine <engine>', 'io_uring: large files past the page cache').choices(ENGINES))
    .option(
      '-j, --concurrency <n>',
      'threads (default: two a processor, at most 8; 32 where a server answers or with --fsync=each)',
      wholeNumber(1, 256),
    )
    .optionsGroup('What is told:')
    .option('-i, --itemize', 'print a line for every entry that is made, changed or removed, as rsync -i does')
    .addOption(new Option('-v, --verbose', 'the same as --itemize'));
  addTelling(command, 'a line: what --itemize prints, problems, and at last the report', 'bar', 'failures');
  // What rsync and cp want to be told, and copy does anyway. Accepted in silence.
  for (const letter of ['-a, --archive', '-r, --recursive', '-R', '-p', '-H', '-A', '-X']) {
    command.addOption(new Option(letter).hideHelp());
  }
}

export interface CopyFlags extends Omit<CopyOptions, 'signal' | 'chmod' | 'ownerMap'>, KeepRuleFlags {
  readonly deleteBefore?: true;
  readonly deleteAfter?: true;
  readonly bwlimit?: number;
  readonly S?: true;
  readonly verbose?: true;
  readonly json?: true;
  readonly progress?: boolean;
  readonly quiet?: true;
}

/** @param name of the command, for its messages */
export async function copy(
  name: string,
  source: string | Buffer,
  destination: string | Buffer,
  flags: CopyFlags,
): Promise<void> {
  refuseIdle(flags);
  const { copyTree } = await import('../main.js');
  const { S, bwlimit, verbose, json, progress, quiet, ...given } = flags;
  const { deleteBefore, deleteAfter, chown, usermap, groupmap, chmod, ...options } = given;
  const when = deleteBefore ? 'before' : deleteAfter ? 'after' : options.delete;
  using interruption = interruptible();
  const { signal } = interruption;
  const job = copyTree(source, destination, {
    ...options,
    ...keepRules({ chown, usermap, groupmap, chmod }),
    delete: when,
    ...(S ? { sparse: 'always' } : {}),
    ...(bwlimit === undefined ? {} : { bandwidthLimit: bwlimit }),
    itemize: options.itemize === true || verbose === true || (options.dryRun === true && !quiet),
    signal,
  });
  const output = new Output();
  const teller = new CopyTeller(name, output, json === true);
  const total = isShown(progress && !quiet) ? treeSize(source, options, signal) : undefined;
  const failure = await follow(job, teller, total);
  const { report } = job;
  if (json) await output.json(plainReport(report));
  await output.end();
  if (failure !== undefined && !signal.aborted) teller.fail(failure);
  teller.end();
  const manner = { dryRun: options.dryRun, interrupted: signal.aborted, failed: failure !== undefined };
  if (!quiet) say(copySummary(report, manner));
  process.exitCode = interruption.exitCode ?? (failure === undefined ? report.exitCode : EXIT.failed);
}

/** An option that would do nothing was meant to do something. */
function refuseIdle(flags: CopyFlags): void {
  const deletes = flags.delete || flags.deleteBefore || flags.deleteAfter;
  const idle = [
    ['--max-delete', '--delete', flags.maxDelete !== undefined && !deletes],
    ['--delete-excluded', '--delete', flags.deleteExcluded && !deletes],
    ['--retry-delay', '--retries', flags.retryDelay !== undefined && flags.retries === undefined],
  ] as const;
  for (const [option, other, isIdle] of idle) {
    if (isIdle) throw new CommandError(`${option} does nothing without ${other}`, EXIT.usage);
  }
}

/** Tells events until the copy ends. @returns what it failed with */
async function follow(
  job: CopyJob,
  teller: CopyTeller,
  total: (() => Amount | undefined) | undefined,
): Promise<unknown> {
  using _bar = total && (await showProgress({ verb: 'copying', done: () => job.progress, total }));
  try {
    for await (const event of job) await teller.tell(event);
    return undefined;
  } catch (error) {
    return error;
  }
}
