/** `dirfd lock FILE -- COMMAND…`: runs a command while a lock is held. */

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { pathArgument, wholeNumber } from './arguments.js';
import { EXIT } from './exit-code.js';
import { interruptible } from './interrupt.js';
import { CommandError, complain } from './messages.js';
import { splitPath } from './split-path.js';
import { printable, printableBytes } from './terminal.js';

interface Options {
  readonly shared?: true;
  readonly wait: boolean;
  readonly timeout?: number;
  readonly conflictExitCode: number;
  readonly allowNetwork?: true;
  readonly quiet?: true;
}

/** Where a shell would end: no such command, and one that cannot be run. */
const NOT_FOUND = 127;
const NOT_RUNNABLE = 126;

export function define(command: Command): void {
  command
    .description(
      'Run COMMAND while the lock of FILE is held, and end with its exit code. FILE is made where there is none, and stays. The lock is an ' +
        'open-file-description lock (fcntl(2)); COMMAND inherits it as descriptor 3.',
    )
    .argument('<FILE>', 'the lock file', pathArgument)
    .argument('<COMMAND...>', 'what to run, after --')
    .option('-s, --shared', 'hold it beside others who share it')
    .option('-n, --no-wait', 'where the lock is not free, say who holds it, and end with 1')
    .addOption(new Option('-w, --timeout <seconds>', 'wait so long at most').argParser(seconds).conflicts('wait'))
    .option(
      '-E, --conflict-exit-code <n>',
      'end with this where the lock was not to be had',
      wholeNumber(0, 255),
      EXIT.failed,
    )
    .option('--allow-network', 'accept network file systems, where other machines may not see the lock')
    .option('-q, --quiet', 'do not say that the lock was not to be had')
    .addHelpText(
      'after',
      `
Examples:
  dirfd lock /run/backup.lock -- rsync -a /home /mnt
  dirfd lock -n build.lock -- make || echo "somebody else is building"
  dirfd lock --shared --timeout=10 db.lock -- sh -c 'sqlite3 db .dump > dump'

Ends as COMMAND does, with 128 + its number where a signal ended it; with 1 (see
-E) where the lock was not to be had, 127 where there is no such command, 126
where it cannot be run.`,
    )
    .action(run);
}

function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number of seconds, as 10 or 0.5.');
}

async function run(file: string | Buffer, words: string[], options: Options): Promise<void> {
  const { describeHolder, FileLock, LockTimeoutError } = await import('../lock/main.js');
  const { directory, name } = splitPath(Buffer.from(file));
  await using lock = await FileLock.open(directory, name, {
    mode: 0o666,
    allowNetwork: options.allowNetwork === true,
    owner: words[0] || undefined,
  });
  const shared = options.shared === true;
  if (!options.wait) {
    if (!(await lock.tryLock({ shared }))) {
      const holder = await lock.holder();
      const held = holder ? `: ${printable(describeHolder(holder))}` : '';
      return conflict(options, new CommandError(`'${printableBytes(Buffer.from(file))}' is not free${held}`));
    }
  } else {
    using interruption = interruptible();
    const timeout = options.timeout === undefined ? undefined : options.timeout * 1000;
    try {
      await lock.lock({ shared, timeout, signal: interruption.signal });
    } catch (error) {
      if (interruption.exitCode !== undefined) return void (process.exitCode = interruption.exitCode);
      if (error instanceof LockTimeoutError) return conflict(options, error);
      throw error;
    }
  }
  process.exitCode = await runCommand(words, lock.unsafeFd());
}

function conflict({ conflictExitCode, quiet }: Options, error: unknown): void {
  if (!quiet) complain('dirfd lock', error);
  process.exitCode = conflictExitCode;
}

/** The signals that reach dirfd alone are handed on; a terminal sends SIGINT to both. */
function runCommand([program = '', ...args]: readonly string[], fd: number): Promise<number> {
  const child = spawn(program, args, { stdio: ['inherit', 'inherit', 'inherit', fd] });
  const handOn = (signal: NodeJS.Signals) => void child.kill(signal);
  const ignore = () => {};
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, handOn);
  process.on('SIGINT', ignore);
  return new Promise<number>((resolve, reject) => {
    child.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code !== 'ENOENT' && code !== 'EACCES') return reject(new CommandError(message));
      complain('dirfd lock', new CommandError(`${program}: ${code === 'ENOENT' ? 'no such command' : 'not allowed'}`));
      resolve(code === 'ENOENT' ? NOT_FOUND : NOT_RUNNABLE);
    });
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  }).finally(() => {
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, handOn);
    process.off('SIGINT', ignore);
  });
}
