/**
 * .gitignore files, as git reads them: patterns are relative to their file's directory, the last that matches decides, deeper files come
 * after those above them, and nothing below an excluded directory can be taken back.
 *
 * Each directory with a file of its own has the rules of all files from the root down to it, in one list: the patterns of deeper files are
 * written anew as patterns from the root. A list per file would not do: whether a directory on the way is excluded depends on all of them.
 */

import type { Ignore } from 'ignore';
import { loadIgnore } from './libraries.js';

/** `ignore` remembers every path that it was ever asked about; it is made anew before that matters. */
const CACHED_PATHS = 10_000;

export class GitIgnore {
  /** By directory path; the root's is ''. Directories without a file have those of the nearest one above. */
  readonly #rules = new Map<string, Rules>();
  #last: { readonly directory: string; readonly rules: Rules | undefined } | undefined;

  /** The text of a directory's own .gitignore. It must come before the directory's entries are asked about. */
  add(directory: string, text: string): void {
    const above = directory === '' ? undefined : this.#rulesFor(parentOf(directory));
    this.#rules.set(directory, new Rules([...(above?.patterns ?? []), ...patternsFromRoot(directory, text)]));
    this.#last = undefined;
  }

  excludes(directory: string, path: string, isDirectory: boolean): boolean {
    return this.#rulesFor(directory)?.exclude(isDirectory ? `${path}/` : path) ?? false;
  }

  #rulesFor(directory: string): Rules | undefined {
    if (this.#last?.directory === directory) return this.#last.rules;
    let rules = this.#rules.get(directory);
    for (let at = directory; rules === undefined && at !== ''; ) {
      at = parentOf(at);
      rules = this.#rules.get(at);
    }
    this.#last = { directory, rules };
    return rules;
  }
}

class Rules {
  readonly patterns: readonly string[];
  #compiled: Ignore;
  #asked = 0;

  constructor(patterns: readonly string[]) {
    this.patterns = patterns;
    this.#compiled = compile(patterns);
  }

  exclude(path: string): boolean {
    if (++this.#asked % CACHED_PATHS === 0) this.#compiled = compile(this.#compiled);
    return this.#compiled.test(path).ignored;
  }
}

function compile(patterns: readonly string[] | Ignore): Ignore {
  // Names on Linux differ by case.
  const empty = loadIgnore()({ ignoreCase: false });
  return empty.add(Array.isArray(patterns) ? patterns.map((pattern) => ({ pattern })) : (patterns as Ignore));
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** The lines of a .gitignore as patterns that mean the same from the root (gitignore(5)). */
export function patternsFromRoot(directory: string, text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => withoutTrailingSpaces(line.replace(/\r$/, '')))
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => (directory === '' ? line : fromRoot(directory, line)));
}

function fromRoot(directory: string, line: string): string {
  const negated = line.startsWith('!');
  // "\#" and "\!" stand for a first character that would mean something else; further in they mean nothing.
  const pattern = (negated ? line.slice(1) : line).replace(/^\\([#!])/, '$1');
  // A slash anywhere but at the end ties the pattern to its file's directory; without one it matches at any depth below.
  const tied = pattern.slice(0, -1).includes('/');
  const below = tied ? pattern.replace(/^\//, '') : `**/${pattern}`;
  return `${negated ? '!' : ''}/${literally(directory)}/${below}`;
}

/** A path as a pattern that matches it alone. */
function literally(path: string): string {
  return path.replace(/[*?[]/g, '[$&]').replace(/\\/g, '\\\\');
}

/** "Trailing spaces are ignored unless they are quoted with backslash". */
function withoutTrailingSpaces(line: string): string {
  const kept = line.replace(/ +$/, '');
  const quoted = /(?:^|[^\\])(?:\\\\)*\\$/.test(kept);
  return quoted && kept.length < line.length ? `${kept} ` : kept;
}
