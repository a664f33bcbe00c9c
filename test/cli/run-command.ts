// The real command in a child process, as a user starts it.
import { type ChildProcess, type SpawnSyncOptions, spawn } from 'node:child_process';
import { join } from 'node:path';
import { attempt, type Finished } from '../fixtures/command.js';
import { compiled } from '../fixtures/compile.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { withRefused } from '../fixtures/seccomp.js';
import type { TestLike } from '../fixtures/temporary.js';

export const command = join(repositoryRoot, 'dist/cli/dirfd.js');

/** Output is latin1: a byte is a character. The environment is the same wherever the tests run. */
export function dirfd(args: readonly string[], options: SpawnSyncOptions = {}): Finished {
  const { env, ...rest } = options;
  return attempt(process.execPath, [command, ...args], { ...rest, env: { ...plainEnvironment(), ...env } });
}

/** Starts it and returns at once, for signals and pipes; stdout and stderr are pipes unless told otherwise. */
export function start(
  args: readonly string[],
  options: { stdio?: ('pipe' | 'ignore')[]; cwd?: string } = {},
): ChildProcess {
  return spawn(process.execPath, [command, ...args], { stdio: 'pipe', env: plainEnvironment(), ...options });
}

/** What a terminal would show: `script` gives the command a pty and copies what it prints. */
export function onTerminal(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Finished {
  const words = [process.execPath, command, ...args].map((word) => `'${word.replace(/'/g, "'\\''")}'`);
  return attempt('script', ['--quiet', '--return', '--command', `exec ${words.join(' ')}`, '/dev/null'], {
    env: { ...plainEnvironment(), TERM: 'xterm', ...env },
    input: '',
    ...(cwd === undefined ? {} : { cwd }),
  });
}

/** The same where extended attributes cannot be set; undefined where the test is skipped. */
export function dirfdWithoutXattrs(
  t: Pick<TestLike, 'skip'>,
  args: readonly string[],
  options: SpawnSyncOptions = {},
): Finished | undefined {
  const seccomp = compiled(t, 'seccomp');
  if (seccomp === undefined) return undefined;
  const refused = ['setxattr', 'lsetxattr', 'fsetxattr', 'setxattrat'] as const;
  return withRefused(seccomp, 'EPERM', refused, [process.execPath, command, ...args], {
    ...options,
    env: plainEnvironment(),
  });
}

function plainEnvironment(): NodeJS.ProcessEnv {
  const { NO_COLOR: _color, DIRFD_DEBUG: _debug, FORCE_COLOR: _force, COLUMNS: _columns, ...env } = process.env;
  return { ...env, NODE_OPTIONS: '', LC_ALL: 'C.UTF-8' };
}

/** Each line of `--json` output. */
export function jsonLines(text: string): Record<string, unknown>[] {
  const utf8 = Buffer.from(text, 'latin1').toString('utf8');
  return utf8
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
