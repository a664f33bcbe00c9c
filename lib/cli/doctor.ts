/** `dirfd doctor [DIR]`: what the kernel, the container and one directory's file system allow, and what is used where they do not. */

import { arch, release } from 'node:os';
import type { Command } from 'commander';
import type { Capabilities } from '../index.js';
import { pathArgument } from './arguments.js';
import { type Check, checkDirectory, type DirectoryReport } from './doctor-directory.js';
import { EXIT } from './exit-code.js';
import { interruptible } from './interrupt.js';
import { Output } from './output.js';
import { version } from './program.js';
import { painter, printable } from './terminal.js';
import { bytes, count } from './units.js';

interface Report {
  readonly dirfd: string;
  readonly node: string;
  readonly arch: string;
  readonly kernel: string;
  readonly user: number;
  readonly fdLimit: number;
  readonly engine: string;
  readonly features: Capabilities['features'];
  readonly directory: DirectoryReport;
}

export function define(command: Command): void {
  command
    .description(
      'Tell what this kernel, this container and a directory allow, and what dirfd uses instead where they do not. ' +
        'The directory is tried for real: a hidden directory with a random name is made in it and removed again.',
    )
    .argument('[DIR]', 'the directory to try', pathArgument, '.')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  dirfd doctor                 the current directory
  dirfd doctor /mnt/backup     can a copy there keep everything?
  dirfd doctor --json | jq '.features[] | select(.available | not)'`,
    )
    .action(doctor);
}

async function doctor(path: string | Buffer, options: { readonly json?: true }): Promise<void> {
  const { capabilities } = await import('../main.js');
  // Holds a Ctrl-C back until what was made has been removed.
  using interruption = interruptible();
  const { kernel, fdLimit, engine, features } = capabilities();
  const report: Report = {
    dirfd: version(),
    node: process.version,
    arch: arch(),
    kernel: kernel || release(),
    user: process.geteuid?.() ?? -1,
    fdLimit,
    engine,
    features,
    directory: await checkDirectory(path),
  };
  const output = new Output();
  await (options.json ? output.json(report) : output.write(asText(report)));
  await output.end();
  process.exitCode = interruption.exitCode ?? EXIT.done;
}

function asText({ directory, ...report }: Report): string {
  const paint = painter(process.stdout);
  const verdict = (good: boolean) => (good ? paint('green', 'yes') : paint('yellow', 'no '));
  const section = (title: string, rows: readonly string[]) =>
    `${paint('bold', title)}\n${rows.map((row) => `  ${row}\n`).join('')}`;

  const columns = Math.max(...[...report.features, ...directory.checks].map(({ name }) => name.length)) + 2;
  const feature = ({ name, available, since, fallback }: Capabilities['features'][number]) =>
    `${name.padEnd(columns)}${verdict(available)}${available ? '' : `  since Linux ${since}; instead: ${fallback}`}`;
  const check = ({ name, works, detail }: Check) =>
    `${name.padEnd(columns)}${verdict(works)}${detail === undefined ? '' : `  ${printable(detail)}`}`;

  const where = directory.mountPoint === undefined ? '' : `, mounted on ${printable(directory.mountPoint)}`;
  const space = `${bytes(directory.freeBytes)} and ${count(directory.freeInodes)} inodes free`;
  return [
    section(`dirfd ${report.dirfd}`, [
      `Node ${report.node}, Linux ${report.kernel}, ${report.arch}, ${report.user === 0 ? 'root' : `user ${report.user}`}`,
      `at most ${count(report.fdLimit)} open descriptors; engine: ${report.engine}`,
    ]),
    section('Kernel and container', report.features.map(feature)),
    section(`Directory ${printable(directory.path)}`, [
      `${directory.fileSystem}${where}; ${space}`,
      ...(directory.untried === undefined ? [] : [`not tried: ${printable(directory.untried)}`]),
      ...directory.checks.map(check),
    ]),
  ].join('\n');
}
