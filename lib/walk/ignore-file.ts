/** One .gitignore: its lines as patterns, and what they say of a name (gitignore(5)). All text is latin1, a character a byte. */

import { wildmatch } from './wildmatch.js';

interface Pattern {
  /** "!": takes back what an earlier pattern excludes. */
  readonly negated: boolean;
  /** "/" at the end: for directories only. */
  readonly directories: boolean;
  /** A slash elsewhere: matched with the path from the file's directory, not with the name alone. */
  readonly tied: boolean;
  readonly matches: (text: string) => boolean;
}

export class IgnoreFile {
  /** The next file on the way up. Its patterns are asked where none here matches. */
  readonly above: IgnoreFile | undefined;
  /** How much of a path leads to this file's directory, slash included. */
  readonly #prefix: number;
  readonly #patterns: readonly Pattern[];
  readonly #tied: boolean;

  /** @param directory path from the root, '' for the root itself */
  constructor(directory: string, text: string, above: IgnoreFile | undefined) {
    this.above = above;
    this.#prefix = directory === '' ? 0 : directory.length + 1;
    this.#patterns = linesOf(text).map(toPattern).reverse();
    this.#tied = this.#patterns.some(({ tied }) => tied);
  }

  /** The last pattern that matches decides; undefined: none does. */
  excludes(name: string, path: string, isDirectory: boolean): boolean | undefined {
    const pathFromHere = this.#tied ? path.slice(this.#prefix) : '';
    for (const { negated, directories, tied, matches } of this.#patterns) {
      if ((isDirectory || !directories) && matches(tied ? pathFromHere : name)) return !negated;
    }
    return undefined;
  }
}

const BYTE_ORDER_MARK = /^\xef\xbb\xbf/;

function linesOf(text: string): string[] {
  return text
    .replace(BYTE_ORDER_MARK, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => withoutTrailingSpaces(upToNul(line.replace(/\r$/, ''))));
}

function toPattern(line: string): Pattern {
  const negated = line.startsWith('!');
  const directories = line.endsWith('/');
  const body = line.slice(negated ? 1 : 0, directories ? -1 : undefined);
  const tied = body.includes('/');
  return { negated, directories, tied, matches: tied ? wildmatch(body.replace(/^\//, '')) : nameMatcher(body) };
}

/** `*.o` is what most patterns are like. */
function nameMatcher(body: string): (name: string) => boolean {
  const [, suffix] = body.match(/^\*([^*?[\\]*)$/s) ?? [];
  return suffix === undefined ? wildmatch(body) : (name) => name.endsWith(suffix);
}

/** To git a line is a C string. */
function upToNul(line: string): string {
  const nul = line.indexOf('\0');
  return nul < 0 ? line : line.slice(0, nul);
}

/** "Trailing spaces are ignored unless they are quoted with backslash". */
function withoutTrailingSpaces(line: string): string {
  let end = 0;
  for (let at = 0; at < line.length; at++) {
    const quotes = line[at] === '\\';
    if (quotes) at++;
    if (quotes || line[at] !== ' ') end = at + 1;
  }
  return line.slice(0, end);
}
