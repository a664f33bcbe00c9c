/** `dirfd restore STORE ID TARGET`: what `dirfd backup restore` does, where one looks for it. */

import type { Command } from 'commander';
import { pathArgument } from './arguments.js';
import { type Options, run } from './backup.js';

export function define(command: Command): void {
  command
    .description(
      'Make TARGET what the version ID in STORE has: verified first, and put in its place in one step. ID is a version, or latest; where STORE has ' +
        'versions of several sources, latest needs --source. The same as dirfd backup restore.',
    )
    .argument('<STORE>', 'where the versions are kept', pathArgument)
    .argument('<ID>', 'which version')
    .argument('<TARGET>', 'what is to become of it: a file or directory, there or not')
    .option('--source <path>', 'only versions of this source, as dirfd backup list prints it')
    .option('--path <path>', 'only this part of the version')
    .option('--keep-as <name>', 'keep what was there under this name beside it')
    .option('--json', 'print a JSON object')
    .addHelpText(
      'after',
      `
Examples:
  dirfd restore /srv/backups latest project
  dirfd restore --path=src --keep-as=src.spoilt /srv/backups ID project/src`,
    )
    .action((store: string | Buffer, id: string, target: string, options: Options) =>
      run('restore', store, [id, target], options),
    );
}
