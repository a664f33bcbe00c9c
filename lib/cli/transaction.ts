/** `dirfd transaction apply|list|undo|prune`: many files changed together or not at all. */

import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { NotKept } from '../index.js';
import type { Change, TransactionRoot, TransactionStatus } from '../transaction/index.js';
import { collect, pathArgument, wholeNumber } from './arguments.js';
import { EXIT } from './exit-code.js';
import { interruptible } from './interrupt.js';
import { CommandError, say } from './messages.js';
import { NotKeptGroups } from './not-kept.js';
import { Output } from './output.js';
import { printable } from './terminal.js';
import { counted } from './units.js';

interface ApplyOptions {
  readonly root: readonly string[];
  readonly dryRun?: true;
  readonly id?: string;
  readonly keepUndo?: true;
  readonly json?: true;
  readonly quiet?: true;
}

export function define(command: Command): void {
  command
    .description(
      'Change many files together or not at all. A plan lists the operations; they mean what they would mean one after the other. A crash at any ' +
        'moment leaves all or nothing, once `dirfd recover` or the next transaction has looked.',
    )
    .usage('apply|list|undo|prune …')
    .addHelpText(
      'after',
      `
Examples:
  dirfd transaction apply --root /etc/app --keep-undo plan.yaml
  dirfd transaction list /etc/app
  dirfd transaction undo /etc/app ID`,
    );
  defineApply(command.command('apply'));
  defineList(command.command('list'));
  defineUndo(command.command('undo'));
  definePrune(command.command('prune'));
}

function defineApply(command: Command): void {
  command
    .summary('do what a plan says')
    .description('Do what a plan says, JSON or YAML; - is standard input. See docs/transaction.md for its form.')
    .argument('<PLAN>', 'the file with the plan')
    .requiredOption('--root <dir>', 'paths are relative to it; NAME=DIR, repeated, where there are several', collect)
    .option('-n, --dry-run', 'change nothing but .dirfd-transactions, list what would be done')
    .option('--id <id>', 'what the transaction is called')
    .option('--keep-undo', 'keep what is replaced and deleted, for `transaction undo`')
    .option('--json', 'print a JSON object for each change')
    .option('-q, --quiet', 'print no changes and no summary')
    .addHelpText(
      'after',
      `
Examples:
  dirfd transaction apply --root /etc/app plan.yaml
  dirfd transaction apply --root code=/srv/code --root data=/srv/data -n plan.json
  echo '{"operations":[{"move":{"from":"a","to":"b"}}]}' | dirfd transaction apply --root . -`,
    )
    .action(apply);
}

function defineList(command: Command): void {
  command
    .summary('list transactions that are kept for undo, at work, or left by a crash')
    .description(
      'List transactions that are kept for undo (done), at work (active) or left by a crash (leftover: over, and not kept), the oldest first.',
    )
    .argument('<DIR>', 'the root', pathArgument)
    .option('--json', 'print a JSON object for each, with its changes')
    .action(list);
}

function defineUndo(command: Command): void {
  command
    .summary('take a transaction back')
    .description(
      'Take a transaction back that was applied with --keep-undo, and print what that does. If anything that it wrote has been changed since, nothing ' +
        'is taken back.',
    )
    .argument('<DIR>', 'the root', pathArgument)
    .argument('<ID>', 'the transaction')
    .option('--only <path>', 'take back only this path, and what hangs together with it (repeatable)', collect)
    .option('--json', 'print a JSON object for each change that was taken back')
    .option('-q, --quiet', 'print no changes and no summary')
    .action(takeBack);
}

function definePrune(command: Command): void {
  command
    .summary('forget transactions that are kept for undo')
    .description('Forget transactions that are kept for undo, all or the older ones, and print their ids.')
    .argument('<DIR>', 'the root', pathArgument)
    .addOption(new Option('--count <n>', 'keep so many, the youngest').argParser(wholeNumber()))
    .addOption(new Option('--max-age <hours>', 'keep those that are not older').argParser(wholeNumber()))
    .action(prune);
}

async function apply(file: string, options: ApplyOptions): Promise<void> {
  const { addPlan, FileTransaction, parsePlan, StateError } = await import('../transaction/main.js');
  const plan = await parsePlan(readPlan(file));
  using interruption = interruptible();
  const { signal } = interruption;
  let isDone = false;
  try {
    const { id: transactionId, keepUndo } = options;
    const showProgress = options.quiet !== true;
    await using transaction = await FileTransaction.begin(rootsOf(options.root), {
      ...{ transactionId, keepUndo, showProgress, signal },
    });
    await addPlan(transaction, plan);
    const { changes, notKept } = options.dryRun
      ? { changes: await transaction.preview(), notKept: [] }
      : await transaction.commit();
    isDone = true;
    await print(changes, options);
    tellLosses(notKept);
    if (options.quiet) return;
    const kept = options.keepUndo && !options.dryRun && changes.length > 0 ? `; undo it as ${transaction.id}` : '';
    say(`${options.dryRun ? 'would make' : 'made'} ${counted(changes.length, 'change')}${kept}`);
  } catch (error) {
    // A StateError: some of it was changed, and recover is to go on.
    if (!signal.aborted || isDone || error instanceof StateError) throw error;
    say('interrupted: nothing was changed');
    process.exitCode = interruption.exitCode ?? EXIT.interrupted;
  }
}

/** What copied trees have lost on the way; all the changes are made. */
function tellLosses(notKept: readonly NotKept[]): void {
  if (notKept.length === 0) return;
  const groups = new NotKeptGroups();
  for (const loss of notKept) groups.add(loss);
  groups.tell();
  process.exitCode = EXIT.partial;
}

async function list(root: string | Buffer, { json }: { readonly json?: true }): Promise<void> {
  const { listTransactions } = await import('../transaction/main.js');
  const output = new Output();
  const all = await listTransactions(root);
  for (const status of all) {
    await (json ? output.json({ ...status, changes: status.changes.map(plain) }) : output.write(lineOf(status)));
  }
  await output.end();
  if (all.length === 0) say('nothing is kept for undo, and no crash has left anything');
}

async function takeBack(
  root: string | Buffer,
  id: string,
  options: { readonly only?: readonly string[]; readonly json?: true; readonly quiet?: true },
): Promise<void> {
  const { undo } = await import('../transaction/main.js');
  const changes = await undo(root, id, { only: options.only?.map(pathArgument) });
  await print(changes, options, undoneLine);
  if (!options.quiet) say(`took back ${counted(changes.length, 'change')}`);
}

async function prune(
  root: string | Buffer,
  options: { readonly count?: number; readonly maxAge?: number },
): Promise<void> {
  const { pruneTransactions } = await import('../transaction/main.js');
  const maxAge = options.maxAge === undefined ? undefined : options.maxAge * 3_600_000;
  const output = new Output();
  const pruned = await pruneTransactions(root, { count: options.count, maxAge });
  for (const id of pruned) await output.write(`${id}\n`);
  await output.end();
  if (pruned.length === 0) say('nothing to forget');
}

function readPlan(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CommandError(`the plan cannot be read: ${(error as Error).message}`);
  }
}

/** `DIR`, or several `NAME=DIR`. */
function rootsOf(roots: readonly string[]): TransactionRoot | Record<string, TransactionRoot> {
  const [only] = roots;
  if (roots.length === 1 && only !== undefined && !/^\w+=/.test(only)) return pathArgument(only);
  const named: Record<string, TransactionRoot> = {};
  for (const root of roots) {
    const [, name, directory] = /^(\w+)=(.+)$/s.exec(root) ?? [];
    if (name === undefined || directory === undefined) {
      throw new CommandError(
        `several roots have names, as in --root NAME=DIR: '${printable(root)}' has none`,
        EXIT.usage,
      );
    }
    if (Object.hasOwn(named, name)) throw new CommandError(`two roots are called '${name}'`, EXIT.usage);
    named[name] = directory;
  }
  return named;
}

const SIGNS = { create: '+', replace: '~', delete: '-', move: '>', chmod: 'm' } as const;

async function print(
  changes: readonly Change[],
  { json, quiet }: { readonly json?: true; readonly quiet?: true },
  line: (change: Change) => string = changeLine,
): Promise<void> {
  if (quiet && !json) return;
  const output = new Output();
  for (const change of changes) await (json ? output.json(plain(change)) : output.write(line(change)));
  await output.end();
}

function changeLine({ action, path, from, root }: Change, verb: string = action): string {
  const place = printable(root === undefined ? path : `${root}:${path}`);
  const origin = from === undefined ? '' : ` (from ${printable(from)})`;
  return `${SIGNS[action]} ${verb.padEnd(7)} ${place}${origin}\n`;
}

/** What taking a change back does. */
function undoneLine(change: Change): string {
  const { action, path, from = path } = change;
  if (action === 'create') return changeLine({ ...change, action: 'delete' });
  if (action === 'delete') return changeLine({ ...change, action: 'create' }, 'restore');
  if (action === 'move') return changeLine({ ...change, path: from, from: path });
  return changeLine(change, action === 'replace' ? 'restore' : action);
}

function plain({ pathBytes, ...change }: Change): object {
  return pathBytes === undefined ? change : { ...change, pathBytes: pathBytes.toString('base64') };
}

function lineOf({ id, state, keepUndo, time, changes }: TransactionStatus): string {
  const told = state === 'done' && !keepUndo ? 'leftover' : state;
  return `${id}  ${told.padEnd(10)}  ${time?.toISOString() ?? '-'.padEnd(24)}  ${counted(changes.length, 'change')}\n`;
}
