/** `dirfd walk [DIR]`: the entries of a tree, one a line. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Kind, WalkOptions } from '../index.js';
import { collect, ENGINES, onErrorOption, pathArgument, wholeNumber } from './arguments.js';
import { EXIT } from './exit-code.js';
import { Failures } from './failures.js';
import { interruptible } from './interrupt.js';
import { Output } from './output.js';
import { lineWriter } from './walk-lines.js';

interface Options
  extends Pick<WalkOptions, 'order' | 'engine' | 'maxDepth' | 'oneFileSystem' | 'symlinks' | 'gitignore'> {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly kinds?: readonly Kind[];
  readonly concurrency?: number;
  readonly onError: 'stop' | 'continue';
  readonly follow?: true;
  readonly null?: true;
  readonly long?: true;
  readonly stat?: true;
  readonly json?: true;
  readonly prefix?: true;
}

export function define(command: Command): void {
  command
    .description(
      'Print every entry below DIR, one a line, relative to DIR. Each is looked at once; no symlink is followed. Entries come in the order ' +
        'in which they are found, unless --order says otherwise.',
    )
    .argument('[DIR]', 'where to begin', pathArgument, '.')
    .optionsGroup('What a line holds:')
    .addOption(
      new Option('-l, --long', 'mode, links, owner, group, size and time first, as ls does').conflicts([
        'stat',
        'json',
      ]),
    )
    .addOption(new Option('--stat', 'all that statx(2) tells, as name=value').conflicts('json'))
    .option('--json', 'a JSON object a line')
    .option('-0, --null', 'end lines with NUL instead of newline, for xargs -0')
    .option('--prefix', 'begin paths with DIR, as find does')
    .optionsGroup('What is printed and entered:')
    .option(
      '-t, --kinds <kinds>',
      'only these, separated by commas: file, directory, symlink, … or f, d, l, p, s, c, b',
      kinds,
    )
    .option('-e, --exclude <glob>', 'leave out what matches, and all below it (repeatable)', globs)
    .option('-i, --include <glob>', 'print only what matches, wherever it lies (repeatable)', globs)
    .option('--gitignore', 'leave out what the .gitignore files in the tree exclude, and .git')
    .option('-d, --max-depth <n>', "levels to go down; 1 is DIR's own entries", wholeNumber(1, 0xffff_fffe))
    .option('-x, --one-file-system', 'enter no other mount')
    .addOption(
      new Option('--symlinks <how>', 'follow: they count as what they point to, if that is below DIR').choices([
        'report',
        'follow',
      ]),
    )
    .option('-L, --follow', 'the same as --symlinks=follow')
    .optionsGroup('How:')
    .addOption(new Option('-o, --order <order>', 'any is the fastest').choices(['any', 'breadth', 'depth', 'sorted']))
    .option(
      '-j, --concurrency <n>',
      'threads of order any (default: one a processor, up to 32 while they wait for a disk)',
      wholeNumber(1, 64),
    )
    .addOption(new Option('--engine <engine>', 'auto: what was measured to be faster').choices(ENGINES))
    .addOption(onErrorOption('a directory that cannot be read'))
    .addHelpText(
      'after',
      `
Globs without a slash match names, globs with one match paths from DIR on.

Examples:
  dirfd walk                                    all below the current directory
  dirfd walk src -t f -i '*.ts' -0 --prefix | xargs -0 wc -l
  dirfd walk --gitignore -e '*.lock'            what belongs to a project
  dirfd walk -l -o sorted /etc                  like ls -lR, a path a line
  dirfd walk --json / -x | jq -r 'select(.size > 1e9).path'`,
    )
    .action(run);
}

async function run(root: string | Buffer, options: Options): Promise<void> {
  const { walk } = await import('../main.js');
  const failures = new Failures('dirfd walk');
  const output = new Output();
  const write = lineWriter(output, root, options);
  using interruption = interruptible();
  try {
    const entries = walk(root, { ...toWalkOptions(options, failures), signal: interruption.signal });
    for await (const batch of entries.batches()) {
      for (const entry of batch) {
        const full = write(entry);
        if (full) await full;
      }
      // Whoever reads is never kept waiting for a chunk to fill.
      await output.flush();
      if (output.closed) break;
    }
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
  } finally {
    await output.end();
    failures.end();
  }
  process.exitCode = interruption.exitCode ?? (failures.count > 0 ? EXIT.partial : EXIT.done);
}

function toWalkOptions({ onError, follow, ...options }: Options, failures: Failures): WalkOptions<'utf8'> {
  return {
    ...options,
    ...(follow ? { symlinks: 'follow' } : {}),
    onError: onError === 'stop' ? 'throw' : (error) => failures.add(error),
  };
}

const LETTERS: Readonly<Record<string, Kind>> = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
  p: 'fifo',
  s: 'socket',
  c: 'character-device',
  b: 'block-device',
};

function globs(glob: string, previous: readonly string[] | undefined): readonly string[] {
  if (glob === '') throw new InvalidArgumentError('It must not be empty.');
  if (/^\/|\/$/.test(glob))
    throw new InvalidArgumentError('Paths neither begin nor end with a slash: it would match nothing.');
  return collect(glob, previous);
}

function kinds(list: string): Kind[] {
  const known = Object.values(LETTERS);
  return list.split(',').map((word) => {
    const kind = LETTERS[word] ?? known.find((each) => each === word);
    if (kind === undefined) {
      const letters = Object.keys(LETTERS).join(', ');
      throw new InvalidArgumentError(`There are ${known.join(', ')}; or ${letters}.`);
    }
    return kind;
  });
}
