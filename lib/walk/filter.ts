/** Which entries are reported, and which directories entered: globs, gitignore, kinds and the caller's own function. */

import { constants } from 'node:fs';
import type { ErrorSubject } from '../errors.js';
import { ownError } from '../errors.js';
import { EVENT } from '../native/layout.js';
import type { WalkBatch } from './batch.js';
import { Entry } from './entry.js';
import { GitIgnore } from './gitignore.js';
import { toMatcher, toReach } from './globs.js';
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
export function needsFilter(options: FilterOptions): boolean {
  return (
    [options.include, options.exclude, options.filter].some((option) => option !== undefined) ||
    options.gitignore === true
  );
}

/** What a judge allows, as bits. What all of them allow is done. */
export type Verdict = number;
export const REPORT = 1;
const ENTER = 2;
const INCLUDE: Verdict = REPORT | ENTER;
const SKIP: Verdict = ENTER;
const PRUNE: Verdict = 0;

/** What is asked of copies and comparisons too. */
export type FilterOptions = Pick<WalkOptions<'utf8'>, 'include' | 'exclude' | 'gitignore' | 'filter'>;

/** One entry at a time; those of a directory one after the other, after the ignore files above them. */
export function createJudge(
  options: FilterOptions,
  gitignore: GitIgnore | undefined,
  subject: ErrorSubject,
): (batch: WalkBatch, index: number) => Verdict {
  const judges = [
    gitignoreJudge(gitignore),
    excludeJudge(options, subject),
    includeJudge(options, subject),
    filterJudge(options, subject),
  ];
  const active = judges.filter((judge) => judge !== undefined);
  const judged: Judged = {
    batch: undefined as unknown as WalkBatch,
    index: 0,
    path: '',
    isDirectory: false,
  };
  return (batch, index) => {
    judged.batch = batch;
    judged.index = index;
    judged.path = batch.path(index);
    judged.isDirectory = isDirectory(batch.mode(index));
    return allowed(active, judged);
  };
}

export function createFilter(options: WalkOptions, subject: ErrorSubject): BatchFilter {
  const gitignore = options.gitignore ? new GitIgnore() : undefined;
  const judge = createJudge(options, gitignore, subject);
  const kinds = kindMask(options.kinds, subject);
  // Directories that were not reported, nor is that they are left. By their bytes: two names that are not UTF-8 may look alike as text.
  const omitted = options.leave ? new Set<string>() : undefined;

  return (batch) => {
    const chosen = new Uint8Array(batch.length);
    const entered = new Uint8Array(batch.length);
    let count = 0;
    for (let index = 0; index < batch.length; index++) {
      const event = batch.event(index);
      if (event === EVENT.ignoreFile) {
        gitignore?.add(batch.directoryPathAsLatin1(batch.directoryOf(index)), batch.ignoreFile(index));
        continue;
      }
      if (event === EVENT.error || (event === EVENT.leave && !omitted?.delete(batch.pathAsLatin1(index)))) {
        chosen[index] = 1;
        count++;
        continue;
      }
      if (event === EVENT.leave) continue;

      const mode = batch.mode(index);
      const verdict = judge(batch, index);
      if (verdict & ENTER) entered[index] = 1;
      if (verdict & REPORT && isAmong(kinds, mode)) {
        chosen[index] = 1;
        count++;
      } else if (isDirectory(mode)) {
        omitted?.add(batch.pathAsLatin1(index));
      }
    }
    return { chosen, entered, count };
  };
}

function isDirectory(mode: number): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFDIR;
}

function allowed(judges: readonly Judge[], entry: Judged): Verdict {
  let verdict = INCLUDE;
  for (const judge of judges) {
    verdict &= judge(entry);
    if (verdict === PRUNE) break;
  }
  return verdict;
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
    gitignore && (({ batch, index, isDirectory }) => (gitignore.excludes(batch, index, isDirectory) ? PRUNE : INCLUDE))
  );
}

function excludeJudge({ exclude }: FilterOptions, subject: ErrorSubject): Judge | undefined {
  if (exclude === undefined) return undefined;
  const matches = toMatcher(exclude, 'exclude', subject);
  return ({ path }) => (matches(path) ? PRUNE : INCLUDE);
}

function includeJudge({ include }: FilterOptions, subject: ErrorSubject): Judge | undefined {
  if (include === undefined) return undefined;
  const matches = toMatcher(include, 'include', subject);
  const mayHold = toReach(include);
  return ({ path, isDirectory }) => (matches(path) ? REPORT : 0) | (isDirectory && mayHold(path) ? ENTER : 0);
}

function filterJudge({ filter }: FilterOptions, subject: ErrorSubject): Judge | undefined {
  if (filter === undefined) return undefined;
  if (typeof filter !== 'function') throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'filter must be a function', subject);
  const verdicts: Readonly<Record<FilterDecision, Verdict>> = {
    include: INCLUDE,
    skip: SKIP,
    prune: PRUNE,
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
