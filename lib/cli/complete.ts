/** `dirfd complete SHELL`: prints a completion script. */

import { Argument, type Command } from 'commander';
import { completionScript, SHELLS, type Shell } from './completion.js';
import { Output } from './output.js';
import { makeProgram } from './program.js';

export function define(command: Command): void {
  command
    .description(
      'Print a completion script. It holds all commands and options; the shell never starts node to complete.',
    )
    .addArgument(new Argument('<SHELL>', 'the shell that is to read it').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  source <(dirfd complete bash)                                      bash: put it in ~/.bashrc
  source <(dirfd complete zsh)                                       zsh: put it in ~/.zshrc, after compinit
  dirfd complete fish > ~/.config/fish/completions/dirfd.fish        fish`,
    )
    .action(complete);
}

async function complete(shell: Shell): Promise<void> {
  const output = new Output();
  await output.write(completionScript(await makeProgram(), shell));
  await output.end();
}
