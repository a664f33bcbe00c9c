/** `dirfd recover DIR`: finishes or takes back what a crash has left of transactions. */

import { type Command, Option } from 'commander';
import { pathArgument } from './arguments.js';
import { say } from './messages.js';
import { Output } from './output.js';
import { counted } from './units.js';

export function define(command: Command): void {
  command
    .description(
      'Settle what a crash has left of transactions in DIR: what was committed is finished, all else is taken back. Files that somebody has changed ' +
        'after the crash are left alone and listed.',
    )
    .argument('<DIR>', 'the root of the transactions', pathArgument)
    .addOption(
      new Option(
        '--edits <policy>',
        'files that somebody has changed after the crash: list them, or settle for them as they are',
      )
        .choices(['report', 'keep'])
        .default('report'),
    )
    .option('-n, --dry-run', 'change nothing, list what is to be settled')
    .option('--json', 'print a JSON object')
    .option('-q, --quiet', 'no summary')
    .addHelpText(
      'after',
      `
Examples:
  dirfd recover /srv/data
  dirfd recover -n --json /srv/data
  dirfd recover --edits=keep /srv/data`,
    )
    .action(run);
}

interface Options {
  readonly edits: 'report' | 'keep';
  readonly dryRun?: true;
  readonly json?: true;
  readonly quiet?: true;
}

async function run(root: string | Buffer, { edits, dryRun, json, quiet }: Options): Promise<void> {
  const { pending, recover } = await import('../transaction/main.js');
  const output = new Output();
  if (dryRun) {
    for (const { id, state, time } of await pending(root)) {
      await (json ? output.json({ id, state, time }) : output.write(`${id}  ${state}\n`));
    }
    await output.end();
    return;
  }
  const report = await recover(root, { edits });
  if (json) await output.json(report);
  await output.end();
  if (quiet) return;
  const { finished, rolledBack, discarded, active, kept } = report;
  const parts = [
    [finished.length, 'finished'],
    [rolledBack.length, 'taken back'],
    [discarded.length, 'discarded'],
    [active.length, 'still at work'],
  ] as const;
  const told = parts
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${counted(number, 'transaction')} ${what}`);
  if (kept.length > 0) told.push(`${counted(kept.length, 'path')} left as somebody has changed them`);
  say(told.length > 0 ? told.join(', ') : 'nothing to recover');
}
