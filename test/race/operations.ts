// What is raced: every operation of dirfd, on the attacked tree.
import {
  type CopyOptions,
  type CopyReport,
  capabilities,
  copyTree,
  type Engine,
  FsError,
  removeTree,
  type TreeRoot,
  type VerifyReport,
  verifyTree,
  walk,
} from 'dirfd';
import { glimpse, takingVerbs, type Verb, verbs } from '../dirfd/path-verbs.js';
import type { Attack, Files, Side } from './arena.js';
import { durable } from './durable.js';
import { outsidersName } from './outside.js';
import type { Stage } from './stage.js';

export interface Operation {
  readonly name: string;
  readonly sides: readonly Side[];
  /** The tree in which nothing of the sentinels may be found afterwards. */
  readonly makes: Side | undefined;
  /** The operation that this is with io_uring in the place of threads. */
  readonly onRing?: string;
  /** What the trees are to hold; by default small files. */
  readonly files?: Files;
  /** Why it cannot take part here, or nothing. */
  unavailable?(attack: Attack): string | undefined;
  /** As often as it likes, each time by stage.attempt. */
  run(stage: Stage): Promise<void>;
}

/** One operation of trees, which has two of them. */
const twoTrees = { sides: ['source', 'destination'] } as const;
const oneTree = { sides: ['source'], makes: undefined } as const;

export const operations: readonly Operation[] = [
  {
    ...oneTree,
    name: 'every verb, one name',
    run: (stage) => bombard(stage, stage.parent, stage.arena.depth === 0 ? ['.'] : ['victim', 'trap']),
  },
  {
    ...oneTree,
    name: 'every verb, several names',
    run: (stage) => bombard(stage, stage.tree, stage.arena.paths.many),
  },
  ...onBothEngines('walk', walking),
  {
    ...oneTree,
    name: 'removeTree',
    run: (stage) =>
      stage.attempt('removeTree', async () => {
        const root = stage.arena.depth === 0 ? stage.tree : stage.arena.tree;
        tellErrors(stage, await removeTree(root, { onError: 'continue' }));
      }),
  },
  ...onBothEngines('copyTree', copying({})),
  ...onBothEngines('copyTree, update', copying({ update: true })),
  ...onBothEngines('sync with delete', copying({ update: true, delete: true })),
  {
    ...twoTrees,
    name: 'verifyTree',
    makes: undefined,
    run: (stage) =>
      stage.attempt(
        'verifyTree',
        async (): Promise<VerifyReport> => {
          const { source, destination } = roots(stage);
          const report = await verifyTree(source, destination);
          tellErrors(stage, report);
          return report;
        },
        ({ differences }) => {
          const seen = differences.find((each) => JSON.stringify([each.path, each.a, each.b]).includes(outsidersName));
          return seen && `told of ${seen.path}`;
        },
      ),
  },
  ...durable,
];

/** On the ring with files that are long enough for it. */
function onBothEngines(name: string, make: (name: string, engine: Engine) => Operation): Operation[] {
  const ring = make(`${name}, io_uring`, 'io_uring');
  return [make(name, 'auto'), { ...ring, onRing: name, files: 'large', unavailable: noRing }];
}

/** Containers may forbid io_uring. */
function noRing(): string | undefined {
  const ring = capabilities().features.find(({ name }) => name === 'io_uring');
  return ring?.available ? undefined : `no io_uring here: ${ring?.fallback}`;
}

async function bombard(stage: Stage, directory: Stage['tree'], paths: readonly string[]): Promise<void> {
  await directory.writeFile('seed', 'inside');
  const aim = async (list: Readonly<Record<string, Verb>>): Promise<void> => {
    for (const [name, verb] of Object.entries(list)) {
      for (const path of paths) {
        await stage.attempt(
          `${name} '${path}'`,
          () => verb(directory, path),
          (value) => glimpse(value, stage.forbidden),
        );
      }
    }
  };
  for (let round = 0; round < 2; round++) await aim(verbs);
  // These end the race for what is left of this run, so they come last.
  await aim(takingVerbs);
}

function walking(name: string, engine: Engine): Operation {
  return { ...oneTree, name, run: (stage) => walkThrough(stage, engine) };
}

async function walkThrough(stage: Stage, engine: Engine): Promise<void> {
  const { arena } = stage;
  for (const order of ['any', 'depth'] as const) {
    await stage.attempt(
      `walk, order ${order}`,
      async () => {
        const root = arena.depth === 0 ? stage.tree : arena.tree;
        const oneFileSystem = arena.attack.exchange === 'directory-mount';
        const onError = (error: FsError): void => stage.tally.error(error.code);
        const seen: string[] = [];
        for await (const entry of walk(root, { engine, order, oneFileSystem, onError })) {
          if (entry.name === outsidersName) seen.push(entry.path);
          // The entry's own way back to the file.
          if (entry.kind === 'file' && entry.name === 'file') await reopen(stage, entry);
        }
        return seen;
      },
      (seen) => (seen.length > 0 ? `reported ${seen[0]}` : undefined),
    );
  }
}

async function reopen(stage: Stage, entry: { open(): Promise<unknown> }): Promise<void> {
  try {
    const seen = await glimpse(await entry.open(), stage.forbidden);
    if (seen !== undefined) stage.tally.escape(`entry.open() ${seen}`);
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    stage.tally.error(error.code);
  }
}

function copying(options: CopyOptions): (name: string, engine: Engine) => Operation {
  return (name, engine) => ({
    ...twoTrees,
    name,
    makes: 'destination',
    run: (stage) =>
      stage.attempt(name, async () => {
        const { source, destination } = roots(stage);
        const oneFileSystem = stage.arena.attack.exchange === 'directory-mount';
        // A clone would leave nothing to a ring.
        const how: CopyOptions = { ...options, engine, ...(engine === 'io_uring' ? { reflink: 'never' } : {}) };
        tellErrors(stage, await copyTree(source, destination, { onError: 'continue', oneFileSystem, ...how }));
      }),
  });
}

/** By path; held, where the trees' own names are exchanged or what may be mounted below is none of theirs. */
function roots({ arena, tree, other }: Stage): { source: TreeRoot; destination: TreeRoot } {
  if (arena.depth > 0 && arena.attack.exchange !== 'directory-mount') return arena;
  const [mine, others] = [tree, other ?? arena.destination];
  return arena.attack.side === 'source' ? { source: mine, destination: others } : { source: others, destination: mine };
}

function tellErrors({ tally }: Stage, report: Pick<CopyReport, 'errors'>): void {
  for (const { error } of report.errors) tally.error(error.code);
}
