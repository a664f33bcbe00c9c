// The durable layers in the race: files replaced whole, and transactions over many.
import { writeText } from 'dirfd/atomic';
import { FileTransaction } from 'dirfd/transaction';
import type { Operation } from './operations.js';
import type { Stage } from './stage.js';

export const durable: readonly Operation[] = [
  { name: 'atomic write', sides: ['source'], makes: 'source', run: writeAll },
  { name: 'transaction', sides: ['source'], makes: 'source', run: transact },
];

async function writeAll({ arena, tree, attempt }: Stage): Promise<void> {
  const ways = [
    {},
    { symlinks: 'replace' },
    { symlinks: 'follow-beneath' },
    { backup: true },
    { createOnly: true },
  ] as const;
  for (const path of [...arena.paths.many, ...arena.paths.many.map((each) => `${each}-new`)]) {
    for (const how of ways) {
      await attempt(`writeText '${path}' ${JSON.stringify(how)}`, () =>
        writeText({ directory: tree, path }, 'inside', { durability: 'none', ...how }),
      );
    }
  }
}

/** One transaction a step, so that a refusal of one does not keep the others from being tried. */
async function transact({ arena, tree, attempt }: Stage): Promise<void> {
  const parent = arena.way === '' ? '' : `${arena.way}/`;
  const pair = arena.depth === 0 ? ['sub'] : [`${parent}victim`, `${parent}trap`];
  const steps: Readonly<Record<string, (transaction: FileTransaction, path: string) => Promise<unknown>>> = {
    read: (transaction, path) => transaction.read(`${path}/file`),
    write: (transaction, path) => transaction.write(`${path}/file`, 'inside'),
    'write itself': (transaction, path) => transaction.write(path, 'inside'),
    mkdir: (transaction, path) => transaction.mkdir(`${path}/made`),
    chmod: (transaction, path) => transaction.chmod(`${path}/file`, 0o600),
    copy: (transaction, path) => transaction.copy(path, `${parent}copied`),
    move: (transaction, path) => transaction.move(`${path}/file`, `${parent}moved`),
    delete: (transaction, path) => transaction.delete(path),
  };
  for (const [name, step] of Object.entries(steps)) {
    for (const path of pair) {
      await attempt(`transaction, ${name} '${path}'`, async () => {
        const transaction = await FileTransaction.begin(tree);
        try {
          await step(transaction, path);
          await transaction.commit();
        } finally {
          await transaction.rollback();
        }
      });
    }
  }
}
