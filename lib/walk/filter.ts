/** Which entries are reported, and which directories entered: globs, gitignore, kinds and the caller's own function. */

import { constants } from 'node:fs';
import type { ErrorSubject } from '../errors.js';
import { ownError } from '../errors.js';
import { EVENT } from '../native/layout.js';
import type { WalkBatch } from './batch.js';
import { Entry } from './entry.js';
import { GitIgnore } from './gitignore.js';
import { loadPicomatch } from './libraries.js';
import { type FilterDecision, isAmong, kindMask, type WalkOptions } from './options.js';

/** Decides about each batch as it arrives, in the order in which the records were made. */
export type BatchFilter = (batch: WalkBatch) => Decisions;

export interface Decisions {
  /** A byte for each record: 1 is given to the consumer. */
  readonly chosen: Uint8Array;
  /** A byte for each record: 1 enters the directory. */
  readonly entered: Uint8Array;
  readonly count: number;
}

/** Whether the walk has to ask JavaScript before it enters directories. */
export function needsFilter(options: WalkOptions): boolean {
  return (
    [options.include, options.exclude, options.filter].some((option) => option !== undefined) ||
    options.gitignore === true
  );
}

/** The strictest of all verdicts on an entry holds. */
const Verdict = { include: 0, skip: 1, prune: 2 } as const;
type Verdict = (typeof Verdict)[keyof typeof Verdict];

export function createFilter(options: WalkOptions, subject: ErrorSubject): BatchFilter {
  const gitignore = options.gitignore ? new GitIgnore() : undefined;
  const judges = [
    gitignoreJudge(gitignore),
    excludeJudge(options, subject),
    includeJudge(options, subject),
    filterJudge(options, subject),
  ];
  const active = judges.filter((judge) => judge !== undefined);
  const kinds = kindMask(options.kinds, subject);
  // Directories that were not reported, nor is that they are left. By their bytes: two names that are not UTF-8 may look alike as text.
  const omitted = options.leave ? new Set<string>() : undefined;
  const judged: Judged = {
    batch: undefined as unknown as WalkBatch,
    index: 0,
    path: '',
    isDirectory: false,
  };

  return (batch) => {
    const chosen = new Uint8Array(batch.length);
    const entered = new Uint8Array(batch.length);
    let count = 0;
    judged.batch = batch;
    for (let index = 0; index < batch.length; index++) {
      const event = batch.event(index);
      if (event === EVENT.ignoreFile) {
        gitignore?.add(batch, index);
        continue;
      }
      if (event === EVENT.error || (event === EVENT.leave && !omitted?.delete(batch.pathAsLatin1(index)))) {
        chosen[index] = 1;
        count++;
        continue;
      }
      if (event === EVENT.leave) continue;

      const mode = batch.mode(index);
      judged.index = index;
      judged.path = batch.path(index);
      judged.isDirectory = (mode & constants.S_IFMT) === constants.S_IFDIR;
      const verdict = strictest(active, judged);
      if (verdict !== Verdict.prune) entered[index] = 1;
      if (verdict === Verdict.include && isAmong(kinds, mode)) {
        chosen[index] = 1;
        count++;
      } else if (judged.isDirectory) {
        omitted?.add(batch.pathAsLatin1(index));
      }
    }
    return { chosen, entered, count };
  };
}

function strictest(judges: readonly Judge[], entry: Judged): Verdict {
  let strictest: Verdict = Verdict.include;
  for (const judge of judges) {
    const verdict = judge(entry);
    if (verdict === Verdict.prune) return verdict;
    if (verdict > strictest) strictest = verdict;
  }
  return strictest;
}

/** One entry on its way past the judges; the same object for all entries. */
interface Judged {
  batch: WalkBatch;
  index: number;
  path: string;
  isDirectory: boolean;
}

type Judge = (entry: Judged) => Verdict;

function gitignoreJudge(gitignore: GitIgnore | undefined): Judge | undefined {
  return (
    gitignore &&
    (({ batch, index, isDirectory }) =>
      gitignore.excludes(batch, index, isDirectory) ? Verdict.prune : Verdict.include)
  );
}

function excludeJudge(options: WalkOptions, subject: ErrorSubject): Judge | undefined {
  const matches = toMatcher(options.exclude, 'exclude', subject);
  return matches && (({ path }) => (matches(path) ? Verdict.prune : Verdict.include));
}

function includeJudge(options: WalkOptions, subject: ErrorSubject): Judge | undefined {
  const matches = toMatcher(options.include, 'include', subject);
  if (!matches) return undefined;
  const mayHold = toReach(globs(options.include));
  return ({ path, isDirectory }) => {
    if (matches(path)) return Verdict.include;
    return isDirectory && !mayHold(path) ? Verdict.prune : Verdict.skip;
  };
}

function filterJudge({ filter }: WalkOptions, subject: ErrorSubject): Judge | undefined {
  if (filter === undefined) return undefined;
  if (typeof filter !== 'function') throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'filter must be a function', subject);
  const verdicts: Readonly<Record<FilterDecision, Verdict>> = {
    include: Verdict.include,
    skip: Verdict.skip,
    prune: Verdict.prune,
  };
  return ({ batch, index }) => {
    const decision = filter(new Entry(batch, index));
    const verdict = verdicts[decision];
    if (verdict !== undefined) return verdict;
    throw ownError(
      'ERR_DIRFD_INVALID_ARGUMENT',
      `filter must answer include, skip or prune, not ${String(decision)}`,
      subject,
    );
  };
}

function globs(option: string | readonly string[] | undefined): readonly string[] {
  return option === undefined ? [] : typeof option === 'string' ? [option] : option;
}

function toMatcher(
  option: string | readonly string[] | undefined,
  name: string,
  subject: ErrorSubject,
): ((path: string) => boolean) | undefined {
  if (option === undefined) return undefined;
  const patterns = globs(option);
  if (!patterns.every((glob) => typeof glob === 'string' && glob !== '')) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `${name} must be a glob, or several, none of them empty`, subject);
  }
  const picomatch = loadPicomatch();
  // Not for globs with a slash: with `basename`, picomatch matches those with the last component too.
  // Flag s: without it `**` does not go past a newline in a name, and an exclude could be evaded by one.
  const matchers = patterns.map((glob) => picomatch(glob, { dot: true, basename: !glob.includes('/'), flags: 's' }));
  return (path) => matchers.some((matches) => matches(path));
}

/** Whether anything below a directory may match one of the globs, by what each of them begins with. */
function toReach(patterns: readonly string[]): (directory: string) => boolean {
  const picomatch = loadPicomatch();
  const bases = patterns.map((glob) => {
    const { base, negated, isGlob } = picomatch.scan(glob);
    const anywhere = !glob.includes('/') || glob.includes('\\') || negated || base === '';
    if (anywhere) return '';
    // Without wildcards the last part is the entry itself.
    return isGlob ? base : base.slice(0, Math.max(base.lastIndexOf('/'), 0));
  });
  return (directory) =>
    bases.some(
      (base) =>
        base === '' || base === directory || base.startsWith(`${directory}/`) || directory.startsWith(`${base}/`),
    );
}
