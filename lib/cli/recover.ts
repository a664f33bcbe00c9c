/** `dirfd recover DIR`: finishes or takes back what a crash has left of transactions. */

import { type Command, Option } from 'commander';
import type { TransactionStatus } from '../transaction/index.js';
import { pathArgument } from './arguments.js';
import { CommandError, complain, say } from './messages.js';
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
    .option('--json', 'print a JSON object, also of what failed; with --dry-run, one for each transaction')
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
  readonly dryRun?: true | undefined;
  readonly json?: true | undefined;
  readonly quiet?: true | undefined;
}

async function run(root: string | Buffer, { edits, dryRun, json, quiet }: Options): Promise<void> {
  if (dryRun) return await look(root, { json, quiet });
  const { IncompleteRecoveryError, recover, StateError } = await import('../transaction/main.js');
  const output = new Output();
  const report = await recover(root, { edits }).catch(async (error: unknown) => {
    if (json && error instanceof StateError) {
      const rest = error instanceof IncompleteRecoveryError ? error.report : {};
      await output.json({ ...rest, error: error.message, code: error.code, paths: error.paths });
      await output.end();
    }
    throw error;
  });
  if (json) await output.json(report);
  await output.end();
  if (quiet) return;
  const { finished, rolledBack, discarded, active, kept } = report;
  const told = summary([
    [finished.length, 'finished'],
    [rolledBack.length, 'taken back'],
    [discarded.length, 'discarded'],
    [active.length, 'still at work'],
  ]);
  if (kept.length > 0) told.push(`${counted(kept.length, 'path')} left as somebody has changed them`);
  say(told.length > 0 ? told.join(', ') : NOTHING);
}

const NOTHING = 'nothing to recover';

/** What would become of transactions. */
const FATES = ['to be finished', 'to be taken back', 'to be looked at', 'to be discarded'] as const;

function fateOf({ state, obstacle }: TransactionStatus): (typeof FATES)[number] {
  if (obstacle !== undefined || state === 'unreadable') return 'to be looked at';
  if (state === 'committed') return 'to be finished';
  return state === 'going-back' ? 'to be taken back' : 'to be discarded';
}

async function look(root: string | Buffer, { json, quiet }: Pick<Options, 'json' | 'quiet'>): Promise<void> {
  const { pending } = await import('../transaction/main.js');
  const output = new Output();
  const found = await pending(root);
  for (const { id, state, obstacle, time, changes } of found) {
    const line = () => `${id}  ${state.padEnd(10)}  ${counted(changes.length, 'change')}\n`;
    await (json ? output.json({ id, state, obstacle, time, changes: changes.length }) : output.write(line()));
    if (obstacle !== undefined && !quiet) complain('dirfd recover', new CommandError(`${id}: ${obstacle}`));
  }
  await output.end();
  if (quiet) return;
  const told = summary(FATES.map((fate) => [found.filter((status) => fateOf(status) === fate).length, fate]));
  say(told.length > 0 ? told.join(', ') : NOTHING);
}

function summary(parts: readonly (readonly [number, string])[]): string[] {
  return parts.filter(([number]) => number > 0).map(([number, what]) => `${counted(number, 'transaction')} ${what}`);
}
