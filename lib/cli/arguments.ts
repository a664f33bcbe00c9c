/** What people type, checked: commander reports what is thrown here as wrong usage. */

import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Engine } from '../index.js';

/** `--engine=io_uring` */
export const ENGINES: readonly Engine[] = ['auto', 'threads', 'io_uring'];

/** `--depth=3` */
export function wholeNumber(min = 0, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `500k`, `10M`, `1.5G`: bytes, in powers of 1024 as rsync and dd have them; `10MB` is a power of 1000. */
export function byteCount(text: string): number {
  const [, number = '', unit = '', decimal = ''] = /^(\d+(?:\.\d+)?)([kmgt]?)(i?b?)$/i.exec(text) ?? [];
  const scale = UNITS[unit.toLowerCase()] ?? Number.NaN;
  const isDecimal = decimal.toLowerCase() === 'b' && unit !== '';
  const value =
    Number(number || Number.NaN) * (isDecimal ? 1000 ** Math.round(Math.log(scale) / Math.log(1024)) : scale);
  if (Number.isFinite(value) && value >= 1) return Math.round(value);
  throw new InvalidArgumentError('It must be a number of bytes, as 500k, 10M or 1.5G.');
}

/** rsync's --bwlimit: KiB without a unit, else as {@link byteCount}, a letter B for bytes; 0 is no limit. */
export function rate(text: string): number {
  if (/^0+$/.test(text)) return 0;
  return byteCount(/^[\d.]+$/.test(text) ? `${text}k` : text);
}

/** Of an option that may be given several times. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/**
 * What copy, sync and verify leave out: the filters of walk. Without its letters, which mean something else to rsync.
 *
 * @param source the argument whose .gitignore files count
 */
export function addFilters(command: Command, source = 'SRC'): void {
  command
    .option('--exclude <glob>', 'leave out what matches, and all below it (repeatable)', collect)
    .option('--include <glob>', 'take only what matches, and the directories above it (repeatable)', collect)
    .option('--gitignore', `leave out what ${source}'s .gitignore files exclude, and .git`);
}

/** @param after after what, in a few words */
export function onErrorOption(after: string): Option {
  return new Option('--on-error <policy>', `after ${after}`).choices(['stop', 'continue']).default('continue');
}

/**
 * How much copy, verify and remove tell. `--progress` is what they do anyway.
 *
 * @param json what it prints an object for
 * @param progress what is shown
 * @param told what is told in spite of --quiet
 */
export function addTelling(command: Command, json: string, progress: 'bar' | 'line', told: string): Command {
  return command
    .option('--json', `print a JSON object ${json}`)
    .addOption(new Option('--progress').hideHelp())
    .option('--no-progress', `no progress ${progress}; there is one on a terminal only`)
    .option('-q, --quiet', `no summary: ${told} only`);
}

/**
 * A path as its bytes: node decodes its arguments as UTF-8, and what is none becomes U+FFFD. The kernel still has the bytes
 * (proc_pid_cmdline(5)).
 */
export function pathArgument(text: string): string | Buffer {
  if (text === '') throw new InvalidArgumentError('It must not be empty; use . for the current directory.');
  if (!text.includes('\ufffd')) return text;
  const line = readFileSync('/proc/self/cmdline');
  for (let start = 0; start < line.length; ) {
    const end = line.indexOf(0, start);
    const argument = line.subarray(start, end < 0 ? line.length : end);
    if (argument.toString('utf8') === text) return Buffer.from(argument);
    start += argument.length + 1;
  }
  return text;
}
