/** `dirfd backup ACTION STORE …`: versions of files and trees made, listed, compared, verified, put back and removed. */

import { Argument, type Command, Option } from 'commander';
import type { BackupLosses, BackupManager, BackupReport, BackupVersion } from '../backup/index.js';
import type { FsError } from '../index.js';
import { collect, pathArgument, wholeNumber } from './arguments.js';
import { EXIT } from './exit-code.js';
import { interruptible } from './interrupt.js';
import { CommandError, complain, say } from './messages.js';
import { NotKeptGroups } from './not-kept.js';
import { Output } from './output.js';
import { splitPath } from './split-path.js';
import { printable } from './terminal.js';
import { bytes, counted } from './units.js';

const ACTIONS = ['create', 'list', 'diff', 'verify', 'restore', 'prune'] as const;
type Action = (typeof ACTIONS)[number];

export interface Options {
  readonly label?: string;
  readonly exclude?: readonly string[];
  readonly share: boolean;
  readonly compress?: true;
  readonly compressChoice?: 'zstd' | 'gzip';
  readonly path?: string;
  readonly source?: string;
  readonly keepAs?: string;
  readonly count?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly days?: number;
  readonly dryRun?: true;
  readonly json?: true;
}

/** What the store has. Of a version that cannot be read there is but the ID. */
interface Versions {
  readonly ids: readonly string[];
  readonly read: readonly BackupVersion[];
}

interface Work {
  readonly backups: BackupManager;
  /** Reads all manifests, once. */
  readonly versions: () => Promise<Versions>;
  readonly words: readonly (string | Buffer)[];
  readonly options: Options;
  readonly output: Output;
  readonly signal: AbortSignal;
}

export function define(command: Command): void {
  command
    .description(
      'Keep versions of files and trees in STORE, a directory. A version has all metadata and the SHA-256 of every file; files that have not ' +
        'changed share the blocks of the version before. ID is a version, or latest; where STORE has versions of several sources, ' +
        'latest needs --source.',
    )
    .addArgument(new Argument('<ACTION>', 'what to do: see the examples').choices(ACTIONS))
    .argument('<STORE>', 'where the versions are kept', pathArgument)
    .argument('[WORDS...]', 'what the action needs')
    .option('--label <text>', 'create: a word for people')
    .option('--exclude <glob>', 'create: leave out what matches, and all below it (repeatable)', collect)
    .option('--no-share', 'create: every file is one of its own')
    .option('--compress', 'create: compress what is stored, by zstd where this Node has it, else by gzip')
    .addOption(new Option('--compress-choice <how>', 'create: compress by this').choices(['zstd', 'gzip']))
    .option('--source <path>', 'all but create: only versions of this source, as list prints it')
    .option('--path <path>', 'restore: only this part of the version')
    .option('--keep-as <name>', 'restore: keep what was there under this name beside it')
    .option('--count <n>', 'prune: keep the newest N', wholeNumber(0))
    .option('--days <n>', 'prune: keep what is younger than N days', wholeNumber(0))
    .option('--hourly <n>', 'prune: keep the newest of each of the last N hours that have one', wholeNumber(0))
    .option('--daily <n>', 'prune: the same for days', wholeNumber(0))
    .option('--weekly <n>', 'prune: the same for weeks', wholeNumber(0))
    .option('--monthly <n>', 'prune: the same for months', wholeNumber(0))
    .option('-n, --dry-run', 'prune: print what would be removed, and remove nothing')
    .option('--json', 'print JSON, an object a line')
    .addHelpText(
      'after',
      `
Examples:
  dirfd backup create /srv/backups /home/me/project --label=before
  dirfd backup create /srv/backups /home/me/project --compress
  dirfd backup list /srv/backups
  dirfd backup diff /srv/backups ID [ID or DIR]     against another version, or a directory of today
  dirfd backup verify /srv/backups [ID…]            all of them without ID; 1 where one is damaged
  dirfd backup restore /srv/backups latest project  verified first, put in place in one step
  dirfd backup prune /srv/backups --count=3 --daily=7 --weekly=4 --monthly=12   of each source`,
    )
    .action(run);
}

/** Also of `dirfd restore`. */
export async function run(action: Action, store: string | Buffer, words: string[], options: Options): Promise<void> {
  const { BackupManager } = await import('../backup/main.js');
  const { DirectoryFd } = await import('../main.js');
  await using directory = await DirectoryFd.open(store);
  await using backups = await BackupManager.open(directory);
  using interruption = interruptible();
  const output = new Output();
  const { signal } = interruption;
  let read: Promise<Versions> | undefined;
  const versions = () => {
    read ??= readVersions(backups, signal);
    return read;
  };
  const work = { backups, versions, words: words.map(pathArgument), options, output, signal };
  try {
    await RUN[action](work);
  } catch (error) {
    if (interruption.exitCode === undefined) throw error;
    process.exitCode = interruption.exitCode;
  }
  await output.end();
}

const RUN: Readonly<Record<Action, (work: Work) => Promise<void>>> = {
  async create({ backups, words, options, output, signal }) {
    if (options.source !== undefined) throw new CommandError('--source is for all but create', EXIT.usage);
    const [source] = expect(words, 1, 1, 'create STORE SRC');
    await using place = await openPlace(source);
    const { label, exclude, share, compress, compressChoice } = options;
    const how = { label, exclude, share, compress: compressChoice ?? compress === true, signal };
    const version = await backups.createBackup(place.directory, place.name, how);
    await (options.json ? output.json(version) : output.write(`${version.id}\n`));
    if (!options.json) say(`${summary(version)}; ${counted(version.shared, 'file')} shared with the version before`);
    tellLosses(version);
  },

  async list({ backups, words, options, output, signal }) {
    expect(words, 0, 0, 'list STORE');
    for (const version of await backups.list({ source: options.source, signal })) {
      await (options.json ? output.json(version) : output.write(`${version.id}  ${summary(version)}\n`));
    }
  },

  async diff(work) {
    const { backups, words, options, output, signal } = work;
    const [first, second = 'latest'] = expect(words, 1, 2, 'diff STORE ID [ID or DIR]');
    const { DirectoryFd } = await import('../main.js');
    const id = await idOf(work, first, options.source);
    const { ids, read } = await work.versions();
    const isVersion = second === 'latest' || ids.includes(String(second));
    await using today = isVersion ? undefined : await DirectoryFd.open(second);
    const source = second === 'latest' ? read.find((each) => each.id === id)?.source : undefined;
    const other = today ?? (await idOf(work, second, options.source ?? source));
    const differences = await backups.diff(id, other, { signal });
    for (const { path, field, a, b } of differences) {
      const line = { path, field, a, b };
      await (options.json
        ? output.json(line)
        : output.write(
            `${printable(path || '.')}: ${field}${a === undefined && b === undefined ? '' : `: ${a ?? '-'} -> ${b ?? '-'}`}\n`,
          ));
    }
    if (differences.length > 0) process.exitCode = EXIT.failed;
  },

  async verify(work) {
    const { backups, words, options, output, signal } = work;
    const { FsError } = await import('../main.js');
    const { source } = options;
    const asked = await Promise.all(words.map((word) => idOf(work, word, source)));
    const all = async () =>
      source === undefined ? backups.ids({ signal }) : (await versionsOf(work, source)).map(({ id }) => id);
    for (const id of asked.length > 0 ? asked : await all()) {
      let report: BackupReport;
      try {
        report = await backups.verify(id, { signal });
      } catch (error) {
        signal.throwIfAborted();
        const isThere = (await backups.ids({ signal })).includes(id);
        if (!(error instanceof FsError) || (asked.length > 0 && !isThere)) throw error;
        // Else pruned by another since they were listed.
        if (isThere) await tellUnreadable(id, error, work);
        continue;
      }
      if (!report.intact) process.exitCode = EXIT.failed;
      const extent = `${counted(report.files, 'file')}, ${bytes(report.bytes)}`;
      await (options.json
        ? output.json(report)
        : output.write(`${id}  ${report.intact ? 'intact' : 'DAMAGED'}: ${extent}\n`));
      for (const { path, why } of report.faults) say(`dirfd backup: ${id}: ${printable(path)}: ${why}`);
    }
  },

  async restore(work) {
    const { backups, words, options, output, signal } = work;
    const [id, target] = expect(words, 2, 2, 'restore STORE ID TARGET');
    await using place = await openPlace(target);
    const { path, keepAs, source } = options;
    const result = await backups.restoreBackup(await idOf(work, id, source), place.directory, place.name, {
      path,
      keepAs,
      signal,
    });
    if (options.json) await output.json(result);
    tellLosses(result);
  },

  async prune(work) {
    const { backups, words, options, output, signal } = work;
    expect(words, 0, 0, 'prune STORE');
    const { count, hourly, daily, weekly, monthly, days, dryRun, source } = options;
    if ([count, hourly, daily, weekly, monthly, days].every((rule) => rule === undefined)) {
      throw new CommandError('prune needs a rule of what is kept: --count, --days, --daily, …', EXIT.usage);
    }
    if (source !== undefined) await versionsOf(work, source);
    const maxAge = days === undefined ? undefined : days * 86_400_000;
    const report = await backups.prune(
      { count, hourly, daily, weekly, monthly, maxAge },
      { dryRun: dryRun === true, source, signal },
    );
    for (const { id, error } of report.unreadable) complain(`dirfd backup: ${id}: not removed`, error);
    if (report.unreadable.length > 0) process.exitCode = EXIT.failed;
    if (options.json) {
      const unreadable = report.unreadable.map(({ id, error: { code, message } }) => ({ id, code, message }));
      return void (await output.json({ ...report, unreadable }));
    }
    for (const id of report.removed) await output.write(`${id}\n`);
    say(
      `${dryRun ? 'would remove' : 'removed'} ${counted(report.removed.length, 'version')}, kept ${report.kept.length}`,
    );
  },
};

/** Of a version that does not even say what should be in it; the others are looked at nevertheless. */
async function tellUnreadable(id: string, error: FsError, { options, output }: Work): Promise<void> {
  const { code, message } = error;
  process.exitCode = EXIT.failed;
  await (options.json ? output.json({ id, intact: false, code, message }) : output.write(`${id}  DAMAGED\n`));
  complain(`dirfd backup: ${id}`, error);
}

function summary({ created, kind, source, label, fileCount, bytes: size, storedBytes }: BackupVersion): string {
  const named = label === undefined ? '' : `  (${printable(label)})`;
  const extent = `${bytes(size)}${storedBytes === size ? '' : ` in ${bytes(storedBytes)}`}`;
  return `${created}  ${kind}  ${counted(fileCount, 'file')}, ${extent}  ${printable(source)}${named}`;
}

/** As copy does: the rest is there, so it is not a failure, and not the whole either. */
function tellLosses({ notKept, notKeptCount }: BackupLosses): void {
  if (notKeptCount === 0) return;
  const groups = new NotKeptGroups();
  for (const { pathBytes, ...loss } of notKept) {
    groups.add({
      ...loss,
      pathBytes: Buffer.from(pathBytes ?? loss.path, pathBytes === undefined ? 'utf8' : 'base64'),
    });
  }
  groups.tell();
  if (notKeptCount > notKept.length) say(`not kept: ${counted(notKeptCount - notKept.length, 'attribute')} more`);
  process.exitCode = EXIT.partial;
}

function expect(words: readonly (string | Buffer)[], least: number, most: number, usage: string) {
  if (words.length >= least && words.length <= most) return words as [string | Buffer, string | Buffer];
  throw new CommandError(`usage: dirfd backup ${usage}`, EXIT.usage);
}

async function readVersions(backups: BackupManager, signal: AbortSignal): Promise<Versions> {
  const ids = await backups.ids({ signal });
  return { ids, read: await backups.list({ signal }) };
}

async function idOf(work: Work, word: string | Buffer, source: string | undefined): Promise<string> {
  const id = String(word);
  if (id !== 'latest' && source === undefined) return id;
  const versions = await versionsOf(work, source);
  if (id === 'latest') return latestOf(versions, await work.versions());
  if (versions.some((version) => version.id === id)) return id;
  throw new CommandError(
    `${printable(id)} is not known as a version of ${printable(source ?? '')}: list prints the sources`,
  );
}

function latestOf(versions: readonly BackupVersion[], { ids, read }: Versions): string {
  const last = versions.at(-1);
  if (last === undefined) throw new CommandError('there is no version yet');
  const unread = ids.findLast((id) => id > last.id && !read.some((version) => version.id === id));
  if (unread !== undefined)
    throw new CommandError(`${unread}, which is newer than ${last.id}, cannot be read: say which`);
  const other = versions.find((version) => version.source !== last.source);
  if (other === undefined) return last.id;
  const both = `${printable(other.source)} and ${printable(last.source)}`;
  throw new CommandError(`latest of which source? There are versions of ${both}: say --source=PATH`, EXIT.usage);
}

/** Of a source that was mistyped there is none. */
async function versionsOf(work: Work, source: string | undefined): Promise<readonly BackupVersion[]> {
  const { read } = await work.versions();
  if (source === undefined) return read;
  const versions = read.filter((version) => version.source === source);
  if (versions.length > 0) return versions;
  throw new CommandError(`there is no version of ${printable(source)}: list prints the sources`);
}

/** The directory that holds the path's last name, under its real path: that is by which versions of the same source find each other. */
async function openPlace(path: string | Buffer) {
  const { DirectoryFd } = await import('../main.js');
  const text = Buffer.from(path)
    .toString('latin1')
    .replace(/(?<=.)\/+$/, '');
  const { directory: above, name } = splitPath(Buffer.from(text, 'latin1'));
  const { realpathSync } = await import('node:fs');
  const directory = await DirectoryFd.open(realpathSync(above, 'buffer'));
  return { directory, name: name.length > 0 ? name : Buffer.from('.'), [Symbol.asyncDispose]: () => directory.close() };
}
