// Whether an operation did what it should have, told by rsync, find and cmp: never by dirfd.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { attempt, run } from '../fixtures/command.js';
import { amiss, nothingAmiss, type Verdict } from './subject.js';

/** `%o %i %n`, of which %i is as rsync(1) explains under --itemize-changes. */
const itemized = /^(\S{11}|\*deleting\s*) (.*)$/;

/** What rsync would still do to make `copy` a copy of `source`. */
export function sameTree(copy: string, source: string): Verdict {
  if (!existsSync(copy)) return amiss(['there is no destination']);
  const args = ['-aHAXn', '--delete', '--checksum', '--itemize-changes', `${source}/`, `${copy}/`];
  const lines = run('rsync', args).split('\n').filter(Boolean);
  const differences = lines
    .map((line) => ({ path: pathOf(line), line }))
    .filter(({ line }) => !isFurtherName.test(line));
  // Content differs (c), size and time do not: the next quick look would pass it over.
  const lookalikes = differences.filter(({ line }) => /^>fc\.\./.test(line)).map(({ path }) => path);
  return { differences, lookalikes };
}

/** Metadata of a further name: it is one file with its first name, of which rsync has told already. */
const isFurtherName = /^hf/;

function pathOf(line: string): string {
  const [, , name = ''] = itemized.exec(line) ?? [];
  return name
    .replace(/ (->|=>) .*$/s, '')
    .replace(/\/$/, '')
    .replace(/^\.$/, '');
}

/** A line an entry below `root`, as `find -printf` tells it. */
export function listing(root: string): string[] {
  return run('find', [root, '-mindepth', '1', '-printf', '%P %y %s %i %m\\n']).split('\n').filter(Boolean).sort();
}

export function sameLines(found: readonly string[], expected: readonly string[]): Verdict {
  const [has, should] = [new Set(found), new Set(expected)];
  return amiss([
    ...expected.filter((line) => !has.has(line)).map((line) => `not found: ${line}`),
    ...found.filter((line) => !should.has(line)).map((line) => `found, but not there: ${line}`),
  ]);
}

/** Nothing of `path` is left. */
export function isGone(path: string): Verdict {
  const { stdout } = attempt('find', [path, '-printf', 'still there: %p\\n']);
  return amiss(stdout.split('\n').filter(Boolean));
}

/** `directory` holds these files, whole, and nothing else. Undefined: anything may stand in the file. */
export function holds(directory: string, files: Readonly<Record<string, readonly Buffer[] | undefined>>): Verdict {
  const names = run('find', [directory, '-mindepth', '1', '-printf', '%P\\n']).split('\n').filter(Boolean);
  const lines = [
    ...names.filter((name) => !(name in files)).map((name) => `left over: ${name}`),
    ...Object.entries(files).flatMap(([name, contents]) => {
      if (!names.includes(name)) return [`missing: ${name}`];
      if (contents === undefined) return [];
      const content = readFileSync(`${directory}/${name}`);
      return contents.some((each) => each.equals(content)) ? [] : [`${name} is neither: ${content.length} bytes`];
    }),
  ];
  return lines.length === 0 ? nothingAmiss : amiss(lines);
}

/** Where the kernel tells of every lock. */
export const KERNELS_LOCKS = '/proc/locks';

/** The locks that are held on a file, as the kernel tells: `READ` or `WRITE`, by open-file-description. */
export function locksOn(path: string): string[] {
  const { ino, dev } = statSync(path);
  // As makedev(3) has put them together. The number alone is that of a file on every other tmpfs too.
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  const device = [major, minor].map((number) => number.toString(16).padStart(2, '0')).join(':');
  const lines = readFileSync(KERNELS_LOCKS, 'utf8').split('\n');
  const pattern = new RegExp(`^\\d+: OFDLCK +ADVISORY +(\\w+) .* ${device}:${ino} `);
  return lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
}
