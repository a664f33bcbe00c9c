/** `dirfd sync SRC DST`: `dirfd copy --update --delete`. */

import { type Command, Option } from 'commander';
import { addArguments, addOptions, copy } from './copy.js';

export function define(command: Command): void {
  command.description(
    'Bring DST in line with SRC: copy what is new or changed (by size and modification time), set metadata right, remove from DST what ' +
      'SRC does not have. The same as copy --update --delete.',
  );
  addArguments(command);
  command
    .optionsGroup('What is copied:')
    .option('-c, --checksum', 'compare the bytes of files of one size, not their times');
  addOptions(command);
  for (const done of ['-u, --update', '--delete']) command.addOption(new Option(done).hideHelp());
  command
    .addHelpText(
      'after',
      `
Accepted, for it is what sync does anyway: -u --delete -a -r -R -p -H -A -X
--progress.

Examples:
  dirfd sync -n photos /mnt/photos      what would be done?
  dirfd sync photos /mnt/photos
  dirfd sync -i / /mnt/root -x > log    a line for every change
  dirfd sync --exclude=cache a b        neither copies b/cache nor deletes it`,
    )
    .action((source, destination, options) =>
      copy('dirfd sync', source, destination, { ...options, update: true, delete: true }),
    );
}
