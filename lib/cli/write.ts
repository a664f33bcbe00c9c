/** `dirfd write FILE`: a file replaced whole or not at all, by standard input or by a text. */

import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AtomicWriteOptions, JsonSchema } from '../atomic/index.js';
import { byteCount, pathArgument } from './arguments.js';
import { EXIT } from './exit-code.js';
import { interruptible } from './interrupt.js';
import { CommandError } from './messages.js';

interface Options {
  readonly text?: string;
  readonly json?: true;
  readonly yaml?: true;
  readonly schema?: string;
  readonly mode?: string;
  readonly keepMetadata: 'all' | 'try' | 'none';
  readonly backup?: string | true;
  readonly createOnly?: true;
  readonly symlinks: 'refuse' | 'replace' | 'follow-beneath';
  readonly hardLinks: 'break' | 'refuse';
  readonly verify?: true;
  readonly durability: 'none' | 'data' | 'full';
  readonly maxSize?: number;
  readonly progress?: true;
}

export function define(command: Command): void {
  command
    .description(
      'Replace FILE by what comes on standard input: whole or not at all, also after a crash. Until all of it has come and been checked, ' +
        'FILE stays as it is; it keeps its owner, mode, ACL and attributes.',
    )
    .argument('<FILE>', 'what to write', pathArgument)
    .option('--text <text>', 'write this, exactly, in place of standard input')
    .option('--json', 'refuse content that is not JSON')
    .addOption(new Option('--yaml', 'refuse content that is not YAML').conflicts('json'))
    .option('--schema <path>', 'refuse content that does not match this JSON Schema; it is JSON without --yaml')
    .option('--mode <octal>', 'permission bits, exactly; default: those of the old file', octal)
    .addOption(
      new Option('--keep-metadata <what>', 'of the old file: all or fail, what is possible, or nothing')
        .choices(['all', 'try', 'none'])
        .default('all'),
    )
    .option('--backup [path]', 'keep the old file as NAME.TIME.bak, or as PATH, where {name} and {time} are put in')
    .option('--create-only', 'fail if there is a FILE')
    .addOption(
      new Option('--symlinks <policy>', 'if FILE is a symlink: refuse, replace the link, or what it leads to')
        .choices(['refuse', 'replace', 'follow-beneath'])
        .default('refuse'),
    )
    .addOption(
      new Option('--hard-links <policy>', 'if FILE has other names: they keep the old content, or refuse')
        .choices(['break', 'refuse'])
        .default('break'),
    )
    .option('--verify', 'read the new file back and compare its SHA-256 before it gets its name')
    .addOption(
      new Option('--durability <level>', 'what a crash may undo: anything, the change alone, nothing')
        .choices(['none', 'data', 'full'])
        .default('full'),
    )
    .option('--max-size <size>', 'fail if there are more bytes, as 500k or 10M', byteCount)
    .option('--progress', 'show how much has come, on a terminal')
    .addHelpText(
      'after',
      `
Examples:
  make-config | dirfd write --json --schema schema.json /etc/app/config.json
  dirfd write --backup --text 'on' state
  curl -sf https://example.org/list | dirfd write --max-size=10M list`,
    )
    .action(run);
}

async function run(path: string | Buffer, options: Options): Promise<void> {
  using interruption = interruptible();
  try {
    await write(path, options, interruption.signal);
    process.exitCode = EXIT.done;
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    process.exitCode = interruption.exitCode ?? EXIT.interrupted;
  } finally {
    // What still comes is nobody's: an open pipe must not keep the process.
    process.stdin.destroy();
  }
}

async function write(path: string | Buffer, options: Options, signal: AbortSignal): Promise<void> {
  const { AtomicWriter, checkContent } = await import('../atomic/index.js');
  const schema = options.schema === undefined ? undefined : readSchema(options.schema);
  await using writer = await AtomicWriter.open(path, { ...writeOptions(options), signal });
  const input = options.text === undefined ? process.stdin : [Buffer.from(options.text)];
  if (options.json || options.yaml || schema !== undefined) {
    const content = await gather(input, options.maxSize);
    await checkContent(content, options.yaml ? 'yaml' : 'json', schema);
    await writer.writeBytes(content);
  } else {
    await writer.writeStream(input);
  }
  await writer.commit();
}

function writeOptions(options: Options): AtomicWriteOptions {
  const keep = { all: true, try: 'try', none: false } as const;
  return {
    durability: options.durability,
    mode: options.mode,
    keepMetadata: keep[options.keepMetadata],
    createOnly: options.createOnly,
    symlinks: options.symlinks,
    hardLinks: options.hardLinks,
    maxSize: options.maxSize,
    backup: options.backup,
    verify: options.verify,
    showProgress: options.progress,
  };
}

/** All of it: what is to be checked has to be whole. */
async function gather(input: AsyncIterable<Buffer> | Iterable<Buffer>, limit = Number.POSITIVE_INFINITY) {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) throw new CommandError(`more than ${limit} bytes, which --max-size forbids`);
  }
  return Buffer.concat(chunks);
}

function readSchema(path: string): JsonSchema {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CommandError(`--schema ${path}: ${(error as Error).message}`, EXIT.usage);
  }
}

function octal(text: string): string {
  if (/^[0-7]{1,4}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be an octal number of at most four digits, as 640.');
}
