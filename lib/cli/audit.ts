/** `dirfd audit verify|show|summary FILE`: an audit trail, tested or read. */

import { Argument, type Command, InvalidArgumentError } from 'commander';
import type { AuditFault, AuditRecord, AuditReport, ChainEnd } from '../audit/index.js';
import { pathArgument, wholeNumber } from './arguments.js';
import { EXIT } from './exit-code.js';
import { CommandError, say } from './messages.js';
import { Output } from './output.js';
import { splitPath } from './split-path.js';
import { printable } from './terminal.js';
import { counted } from './units.js';

type Action = 'verify' | 'show' | 'summary';

interface Options {
  readonly expected?: ChainEnd;
  readonly json?: true;
  readonly operation?: string;
  readonly failed?: true;
  readonly last?: number;
}

export function define(command: Command): void {
  command
    .description(
      'Read an audit trail: a file of JSON lines, each with the SHA-256 of the one before, and the files FILE.1, FILE.2, … that were set ' +
        'aside. verify tests the whole chain and ends with 1 where a record was changed, taken out or put in.',
    )
    .addArgument(new Argument('<ACTION>', 'what to do').choices(['verify', 'show', 'summary']))
    .argument('<FILE>', 'the trail', pathArgument)
    .option(
      '--expected <sequence:hash>',
      'verify: this record, as an earlier run has told it, must still be there',
      chainEnd,
    )
    .option('--operation <name>', 'show: only this kind of operation')
    .option('--failed', 'show: only what failed')
    .option('--last <n>', 'show: only the last N', wholeNumber(1))
    .option('--json', 'print JSON instead of a table')
    .addHelpText(
      'after',
      `
Examples:
  dirfd audit verify /var/log/app/audit.jsonl
  dirfd audit verify --expected=4711:9f86d08…0a08 audit.jsonl   is its end still there?
  dirfd audit show --failed --last=20 audit.jsonl
  dirfd audit show --json audit.jsonl | jq 'select(.operation == "write").path'`,
    )
    .action(run);
}

async function run(action: Action, file: string | Buffer, options: Options): Promise<void> {
  const { readAuditTrail, summarizeAuditTrail, formatAuditSummary, verifyAuditTrail } = await import(
    '../audit/main.js'
  );
  const { DirectoryFd } = await import('../main.js');
  const { directory: path, name } = splitPath(Buffer.from(file));
  await using directory = await DirectoryFd.open(path);
  if (options.expected && action !== 'verify') throw new CommandError('--expected is for verify', EXIT.usage);
  const output = new Output();
  const text = name.toString();
  if (action === 'verify') {
    const report = await verifyAuditTrail(directory, text, { expected: options.expected });
    await (options.json ? output.json(report) : output.write(describe(report)));
    if (!report.intact) process.exitCode = EXIT.failed;
  } else if (action === 'summary') {
    const rows = await summarizeAuditTrail(readAuditTrail(directory, text, { onFault: tellFault }));
    const plain = () => rows.map((row) => ({ ...row, operation: printable(row.operation) }));
    await (options.json ? output.json(rows) : output.write(formatAuditSummary(plain())));
  } else {
    for (const record of await chosen(readAuditTrail(directory, text, { onFault: tellFault }), options)) {
      await (options.json ? output.json(record) : output.write(line(record)));
    }
  }
  await output.end();
}

/** What was read up to there is printed nevertheless. */
function tellFault({ file, line: number, why }: AuditFault): void {
  process.exitCode = EXIT.failed;
  say(`dirfd audit: stopped at ${printable(file)}, line ${number}: ${why}`);
}

/** `4711:9f86d0…`: what verify prints as the last record. */
function chainEnd(text: string): ChainEnd {
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})$/i.exec(text) ?? [];
  if (sequence === undefined || hash === undefined) {
    throw new InvalidArgumentError('It must be the number and the SHA-256 of a record, as SEQUENCE:HASH.');
  }
  return { sequence: Number(sequence), hash: hash.toLowerCase() };
}

async function chosen(records: AsyncIterable<AuditRecord>, { operation, failed, last }: Options) {
  const found: AuditRecord[] = [];
  for await (const record of records) {
    if (operation !== undefined && record.operation !== operation) continue;
    if (failed && record.outcome !== 'failed') continue;
    found.push(record);
    if (last !== undefined && found.length > last) found.shift();
  }
  return found;
}

function line({ sequence, time, outcome, operation, path, duration, error }: AuditRecord): string {
  const cells = [
    String(sequence).padStart(6),
    time,
    outcome.padEnd(6),
    operation.padEnd(18),
    `${duration.toFixed(1)} ms`.padStart(11),
    ...(path === undefined ? [] : [path]),
    ...(error ? [`(${error.message})`] : []),
  ];
  return `${cells.map((cell) => printable(cell)).join('  ')}\n`;
}

function describe(report: AuditReport): string {
  const { intact, records, files, first, last, torn, fault } = report;
  if (records === 0 && torn > 0) return `NO TRAIL: ${counted(torn, 'byte', 'bytes')}, and no whole record\n`;
  if (intact && records === 0) say('dirfd audit: the file is empty: there is no record to verify');
  if (torn > 0)
    say(`dirfd audit: ${counted(torn, 'byte', 'bytes')} at the end torn by a crash; the next writer cuts them off`);
  if (first > 1) say(`dirfd audit: the trail begins at record ${first}: older files were taken away`);
  const extent = `${counted(records, 'record', 'records')} in ${counted(files.length, 'file', 'files')}`;
  if (intact) return `intact: ${extent}, the last is ${last.sequence} ${last.hash}\n`;
  return `BROKEN after ${extent}: ${printable(fault?.file ?? '')}, line ${fault?.line}: ${fault?.why}\n`;
}
