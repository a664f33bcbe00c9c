/** The commands by name. Only those named among the arguments are loaded: a start should cost little more than node's own. */

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { EXIT } from './exit-code.js';
import { enableDebug } from './messages.js';

/** Adds arguments, options, examples and the action to its command. */
export type Define = (command: Command) => void;

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly define: Define }>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  walk: { summary: 'print every entry of a tree', load: () => import('./walk.js') },
  copy: { summary: 'make a directory or file a copy of another, with all metadata', load: () => import('./copy.js') },
  sync: { summary: 'the same, only what changed, and delete what is no more', load: () => import('./sync.js') },
  verify: { summary: 'list each difference between two directories', load: () => import('./verify.js') },
  remove: { summary: 'remove files, and directories with all that they hold', load: () => import('./remove.js') },
  write: { summary: 'replace a file whole or not at all, by standard input', load: () => import('./write.js') },
  transaction: {
    summary: 'change many files together or not at all, as a plan says',
    load: () => import('./transaction.js'),
  },
  recover: { summary: 'settle what a crash has left of transactions', load: () => import('./recover.js') },
  lock: { summary: 'run a command while a lock is held', load: () => import('./lock.js') },
  backup: { summary: 'keep versions of files and trees, and put them back', load: () => import('./backup.js') },
  restore: {
    summary: 'put a version of a file or tree back: the same as backup restore',
    load: () => import('./restore.js'),
  },
  audit: { summary: 'test or read an audit trail', load: () => import('./audit.js') },
  doctor: { summary: 'tell what this kernel, this container and a directory allow', load: () => import('./doctor.js') },
  complete: { summary: 'print a completion script for a shell', load: () => import('./complete.js') },
};

export function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}

/** Runs to the end and sets process.exitCode. Wrong usage has been told when it returns; failures are thrown. */
export async function runProgram(args: readonly string[]): Promise<void> {
  const { CommanderError } = await import('commander');
  const asked = helpAsOption(args);
  const program = await makeProgram(asked);
  try {
    await program.parseAsync([...withoutHelpOfNothing(program, asked)], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version that were asked for end with 0; all else that commander finds is wrong usage.
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
}

/** `help transaction apply` is `transaction apply --help`: commander's own help knows no deeper commands. */
function helpAsOption([first, ...names]: readonly string[]): readonly string[] {
  const isName = names[0] !== undefined && names[0] !== 'help' && !names[0].startsWith('-');
  return first === 'help' && isName ? [...names, '--help'] : first === undefined ? [] : [first, ...names];
}

/** A command that there is not has no help: without the option, commander says so. */
function withoutHelpOfNothing(program: Command, args: readonly string[]): readonly string[] {
  let command = program;
  for (const word of args) {
    if (word.startsWith('-') || command.commands.length === 0 || word === 'help') return args;
    const named = command.commands.find((each) => each.name() === word);
    if (named === undefined) return args.filter((each) => each !== '--help' && each !== '-h');
    command = named;
  }
  return args;
}

/** @param wanted which commands to load in full; the others are there by name only */
export async function makeProgram(wanted: readonly string[] = Object.keys(COMMANDS)): Promise<Command> {
  const { Command } = await import('commander');
  const program = new Command('dirfd')
    .description(
      'Walk, copy, compare and remove trees through directories held open: no symlink is followed, nothing is lost unsaid.',
    )
    .usage('COMMAND [options] …')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageError('dirfd', text)) })
    .configureHelp({ optionTerm: ({ flags }) => flags.replace(/ ([<[])/g, '=$1').replace(/[<>]/g, '') })
    .addHelpText('after', PROGRAM_HELP);
  program.hook('preAction', (_, command) => {
    if (command.optsWithGlobals().debug === true) enableDebug();
  });
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = program.command(name).summary(summary);
    command.configureOutput({ outputError: (text, write) => write(usageError(`dirfd ${name}`, text)) });
    if (wanted.includes(name)) (await load()).define(command);
    for (const sub of command.commands) {
      sub.configureOutput({ outputError: (text, write) => write(usageError(`dirfd ${name} ${sub.name()}`, text)) });
    }
    command
      .optionsGroup('Other options:')
      .option('--debug', 'print the stack of errors (also: DIRFD_DEBUG=1)')
      .helpOption('-h, --help', 'show this help');
  }
  return program;
}

/** commander's two lines as one, and where to read on. */
function usageError(command: string, text: string): string {
  const line = text
    .replace(/^error: /, '')
    .replace(/\n\((Did you mean .*)\)/s, (_, question: string) => `. ${question}`)
    .trimEnd();
  return `${command}: ${line}\nTry '${command} --help'.\n`;
}

const PROGRAM_HELP = `
Exit codes: 0 all done, 1 failed, 2 wrong usage, 23 partial (each failure is
listed), 24 sources vanished, 130 interrupted.`;
