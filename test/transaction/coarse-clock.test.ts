// File systems whose times are those of a clock that stands still for a tick: what a transaction has read is compared by its content.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileTransaction } from 'dirfd/transaction';
import { mounted } from '../fixtures/mounts.js';

test('an edit in place of what was read is a conflict, whether the file stays, is replaced or is moved', async (t) => {
  const root = mounted(t, 'ramfs');
  if (root === undefined) return;
  const operations: ((transaction: FileTransaction) => Promise<void>)[] = [
    (transaction) => transaction.write('b', 'by a'),
    (transaction) => transaction.write('a', 'new'),
    (transaction) => transaction.move('a', 'c'),
  ];
  for (let round = 0; round < 21; round++) {
    writeFileSync(join(root, 'a'), 'old');
    await using transaction = await FileTransaction.begin(root);
    await transaction.read('a');
    writeFileSync(join(root, 'a'), 'odd');
    const outcome = operations[round % 3]!(transaction).then(() => transaction.commit());
    await assert.rejects(outcome, /ConflictError|ValidationError/);
    assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'odd');
  }
});
