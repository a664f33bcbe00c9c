// Walks, copies, removals and comparisons of whole trees.
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  type CopyOptions,
  capabilities,
  copyTree,
  DirectoryFd,
  removeTree,
  verifyTree,
  type WalkOptions,
  walk,
} from 'dirfd';
import { run } from '../../fixtures/command.js';
import { everyByte } from '../../fixtures/trees/plain.js';
import { isGone, listing, sameLines, sameTree } from '../judges.js';
import { type Answer, amiss, nothingAmiss, type Subject, tell } from '../subject.js';
import { agedCopy, oneOfEach } from '../tree.js';

const copyInto = async (work: string, fixed: string, options: CopyOptions): Promise<Answer> => {
  const report = await copyTree(fixed, `${work}/copy`, { ...options, concurrency: 1, onError: 'continue' });
  return {
    complete: report.exitCode === 0,
    told: [
      ...report.errors.map(({ path, error }) => tell(path, error)),
      ...report.notKept.map((lost) => tell(lost.path, lost)),
      ...report.vanished.map((path) =>
        tell(path, { code: 'ENOENT', message: `ENOENT: vanished, copy '${path}' in '${fixed}'` }),
      ),
    ],
  };
};

const judgeCopy: Subject['judge'] = (work, fixed) => sameTree(`${work}/copy`, fixed);

const copySubject = (
  name: string,
  options: CopyOptions,
  { aged = false, ...more }: { readonly aged?: boolean } & Partial<Subject> = {},
): Subject => ({
  name,
  writes: true,
  makeFixed: oneOfEach,
  ...(aged ? { makeWork: (work, fixed) => agedCopy(`${work}/copy`, fixed) } : {}),
  run: (work, fixed) => copyInto(work, fixed, options),
  judge: judgeCopy,
  ...more,
});

/** Its completions no tracer sees: test/native/ring_walk.cpp and ring_copy.cpp put faults into those. */
const onRing = {
  unavailable: (): string | undefined => {
    const ring = capabilities().features.find(({ name }) => name === 'io_uring');
    return ring?.available ? undefined : `no io_uring here: ${ring?.fallback}`;
  },
  // Rings to stat names on are the deep ones.
  reaches: [/^io_uring_setup\(256,/, /^io_uring_enter\(/],
} as const;

/** Of a large file the data too; with a filter, directories are stat'ed before anything in them is copied. */
const copyOnRing = {
  ...onRing,
  reaches: [...onRing.reaches, /^fcntl\(.*, F_SETFL, .*O_DIRECT/],
  makeFixed: (fixed: string) => {
    oneOfEach(fixed);
    writeFileSync(`${fixed}/huge`, everyByte(LONG));
  },
} as const;
const ringOptions = { engine: 'io_uring', reflink: 'never', exclude: ['no such name'] } as const;
/** Long enough for a ring (native/ops/bulk_move.h), some of its blocks, and no whole number of them. */
const LONG = 3 * 2 ** 19 + 5000;

const walkSubject = (name: string, options: Pick<WalkOptions, 'engine'>, more: Partial<Subject> = {}): Subject => ({
  name,
  writes: false,
  ownThreads: true,
  makeFixed: oneOfEach,
  run: async (_work, fixed) => {
    await using root = await DirectoryFd.open(fixed);
    const found: string[] = [];
    const told: ReturnType<typeof tell>[] = [];
    const walking = walk(root, { concurrency: 1, onError: 'report', ...options });
    for await (const { event, path, stat, kind, error } of walking) {
      if (event === 'error' && error) told.push(tell(path, error));
      else found.push(`${path} ${letters[kind]} ${stat.size} ${stat.ino} ${(stat.mode & 0o7777).toString(8)}`);
    }
    const { vanished } = walking.statistics;
    if (vanished > 0)
      told.push(tell('', { code: 'ENOENT', message: `ENOENT: ${vanished} vanished, walk '.' in '${fixed}'` }));
    return { complete: told.length === 0, told, found };
  },
  judge: (_work, fixed, { found = [] }) => sameLines(found, listing(fixed)),
  ...more,
});

export const treeSubjects: readonly Subject[] = [
  walkSubject('walk', {}),
  walkSubject('walk-ring', { engine: 'io_uring' }, onRing),
  copySubject('copy', {}),
  copySubject('copy-cold', {}, { cold: true }),
  copySubject('copy-durable', { fsync: 'each' }, { durable: true }),
  copySubject('copy-ring', ringOptions, copyOnRing),
  copySubject('sync', { update: true, delete: true, fsync: 'end' }, { aged: true, durable: true }),
  copySubject(
    'sync-ring',
    { ...ringOptions, update: true, delete: true },
    {
      ...copyOnRing,
      makeWork: (work, fixed) => {
        agedCopy(`${work}/copy`, fixed);
        writeFileSync(`${work}/copy/huge`, 'other content');
      },
    },
  ),
  {
    name: 'remove',
    writes: true,
    makeWork: (work) => {
      mkdirSync(`${work}/tree`);
      oneOfEach(`${work}/tree`);
    },
    run: async (work) => {
      const report = await removeTree(`${work}/tree`, { force: true, onError: 'continue' });
      return {
        complete: report.errorCount === 0,
        told: report.errors.map(({ path, error }) => tell(path, error)),
      };
    },
    judge: (work) => isGone(`${work}/tree`),
    judgeKilled: () => nothingAmiss,
  },
  {
    name: 'verify-same',
    writes: false,
    makeFixed: (fixed) => {
      mkdirSync(`${fixed}/a`);
      oneOfEach(`${fixed}/a`);
      run('cp', ['-a', `${fixed}/a`, `${fixed}/b`]);
    },
    run: (_work, fixed) => compare(fixed),
    judge: (_work, _fixed, { found = [] }) => amiss(found.map((line) => `no difference, but found: ${line}`)),
  },
  {
    name: 'verify-different',
    writes: false,
    makeFixed: (fixed) => {
      mkdirSync(`${fixed}/a`);
      oneOfEach(`${fixed}/a`);
      agedCopy(`${fixed}/b`, `${fixed}/a`);
    },
    run: (_work, fixed) => compare(fixed),
    judge: (_work, fixed, { found = [] }) => {
      const paths = new Set(found.map((line) => line.split(' ')[1]));
      // What lies below an entry that one side lacks counts once.
      const missed = sameTree(`${fixed}/b`, `${fixed}/a`).differences.filter(
        ({ path }) => ![...ancestors(path)].some((each) => paths.has(each)),
      );
      return { differences: missed, lookalikes: [] };
    },
  },
];

const letters: Readonly<Record<string, string>> = { file: 'f', directory: 'd', symlink: 'l', fifo: 'p' };

async function compare(fixed: string): Promise<Answer> {
  const report = await verifyTree(`${fixed}/a`, `${fixed}/b`, { concurrency: 1 });
  return {
    complete: report.errorCount === 0,
    told: report.errors.map(({ path, error }) => tell(path, error)),
    found: report.differences.map(({ path, field }) => `${field} ${path}`),
  };
}

/** The path and those above it; the root only for itself. */
function* ancestors(path: string): Generator<string> {
  if (path === '') yield path;
  for (let at = path; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('/'), 0))) yield at;
}
