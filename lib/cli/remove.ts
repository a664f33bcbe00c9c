/** `dirfd remove PATH…`: files, and directories with all that they hold. */

import { type Command, Option } from 'commander';
import { addTelling, onErrorOption, pathArgument } from './arguments.js';
import { EXIT } from './exit-code.js';
import { Failures } from './failures.js';
import { interruptible } from './interrupt.js';
import { plainPath } from './json-events.js';
import { CommandError, say } from './messages.js';
import { Output } from './output.js';
import { isShown, showProgress } from './progress.js';
import { printableBytes } from './terminal.js';
import { count, counted, duration } from './units.js';

interface Options {
  readonly oneFileSystem: boolean;
  readonly onError: 'stop' | 'continue';
  readonly force?: true;
  readonly json?: true;
  readonly progress?: boolean;
  readonly quiet?: true;
}

export function define(command: Command): void {
  command
    .description(
      'Remove files, and directories with all that they hold, however deep. Symlinks are removed, never followed; what is mounted below is ' +
        'left alone. There is no question and no way back.',
    )
    .argument('<PATH...>', 'what to remove', (text: string, before: (string | Buffer)[] | undefined) => [
      ...(before ?? []),
      pathArgument(text),
    ])
    .option('-f, --force', 'a PATH that is not there is no failure')
    .option('--no-one-file-system', 'also empty what is mounted below')
    .addOption(onErrorOption('an entry that cannot be removed'));
  addTelling(command, 'for each PATH and each failure: removed, incomplete or error', 'line', 'failures')
    .addOption(new Option('-r, --recursive').hideHelp())
    .addOption(new Option('-R').hideHelp())
    .addHelpText(
      'after',
      `
Accepted, for it is what remove does anyway: -r -R --progress.

Examples:
  dirfd remove node_modules
  dirfd remove -f build/*.tmp
  dirfd remove --json old | jq 'select(.type == "error").path'`,
    )
    .action(run);
}

async function run(paths: (string | Buffer)[], options: Options): Promise<void> {
  const bytes = paths.map((path) => Buffer.from(path));
  for (const path of bytes) refuseWhatIsNeverMeant(path);
  const removal = new Removal(options);
  using interruption = interruptible();
  await removal.removeAll(bytes, interruption.signal);
  await removal.end(interruption.signal.aborted);
  process.exitCode = interruption.exitCode ?? removal.exitCode;
}

/** As rm(1): `remove $DIR/` with an empty variable must not remove the machine. */
function refuseWhatIsNeverMeant(path: Buffer): void {
  const text = path.toString('latin1').replace(/\/+$/, '');
  const last = text.slice(text.lastIndexOf('/') + 1);
  if (text === '') throw new CommandError("refused: '/' is never removed", EXIT.usage);
  if (last === '.' || last === '..') {
    throw new CommandError(
      `refused: '${printableBytes(path)}' would remove where you are; name the directory`,
      EXIT.usage,
    );
  }
}

class Removal {
  readonly #options: Options;
  readonly #output = new Output();
  readonly #failures = new Failures('dirfd remove');
  readonly #started = performance.now();
  #removed = 0;
  /** Of the PATH in hand. */
  #current = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  get exitCode(): number {
    if (this.#failures.count === 0) return EXIT.done;
    return this.#removed === 0 ? EXIT.failed : EXIT.partial;
  }

  async removeAll(paths: readonly Buffer[], signal: AbortSignal): Promise<void> {
    const { progress, quiet, onError } = this.#options;
    const done = () => ({ entries: this.#removed + this.#current, bytes: 0 });
    using _line = isShown(progress && !quiet) ? await showProgress({ verb: 'removing', done }) : undefined;
    for (const path of paths) {
      const whole = await this.#remove(path, signal);
      if (signal.aborted || (!whole && onError === 'stop')) return;
    }
  }

  async end(interrupted: boolean): Promise<void> {
    await this.#output.end();
    this.#failures.end();
    if (this.#options.quiet) return;
    const seconds = (performance.now() - this.#started) / 1000;
    const rate = this.#removed > 0 ? `: ${count(Math.round(this.#removed / seconds))} entries/s` : '';
    say(
      `${interrupted ? 'interrupted: ' : ''}removed ${counted(this.#removed, 'entry', 'entries')} in ${duration(seconds)}${rate}`,
    );
  }

  /** @returns whether nothing is left of it */
  async #remove(path: Buffer, signal: AbortSignal): Promise<boolean> {
    const { removeTree } = await import('../main.js');
    const { oneFileSystem, onError, force } = this.#options;
    const progress = (entries: number) => {
      this.#current = entries;
    };
    const failuresBefore = this.#failures.count;
    try {
      const report = await removeTree(path, { onError, oneFileSystem, force, progress, signal });
      this.#removed += report.entries;
      for (const { pathBytes, error } of report.errors) await this.#fail(besides(path, pathBytes), error);
      this.#failures.addUntold(report.errorCount - report.errors.length);
      await this.#tell(path, report.entries, report.errorCount);
    } catch (error) {
      this.#removed += this.#current;
      if (signal.aborted) return false;
      await this.#fail(path, error);
    } finally {
      this.#current = 0;
    }
    return this.#failures.count === failuresBefore;
  }

  async #tell(path: Buffer, entries: number, failures: number): Promise<void> {
    if (!this.#options.json) return;
    const end = failures === 0 ? { type: 'removed' } : { type: 'incomplete', failures };
    await this.#output.json({ ...end, ...plainPath(path), entries });
  }

  async #fail(path: Buffer, error: unknown): Promise<void> {
    const { code, message } = error as { code?: string; message?: string };
    this.#failures.add(error);
    if (this.#options.json) await this.#output.json({ type: 'error', ...plainPath(path), code, message });
  }
}

/** What a report names from the directory that holds `path`, as the caller would name it. */
function besides(path: Buffer, found: Buffer): Buffer {
  const above = path.toString('latin1').replace(/[^/]+\/*$/, '');
  return Buffer.concat([Buffer.from(above, 'latin1'), found]);
}
