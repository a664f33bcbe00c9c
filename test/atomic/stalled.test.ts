// Streams that give no more: an abort, and an end given by the caller, do not wait for them.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicWriter, writeChunks } from 'dirfd/atomic';
import { FileTransaction } from 'dirfd/transaction';
import { rejects, scratch } from '../dirfd/scratch.js';

async function* stalled(): AsyncGenerator<string> {
  yield 'begun';
  await new Promise(() => {});
}

describe('a stream that has stalled', () => {
  test('ends with the signal, and with the writer that is disposed of', { timeout: 5000 }, async (t) => {
    const { path } = await scratch(t);
    const abort = new AbortController();
    const aborted = writeChunks(join(path, 'file'), stalled(), { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 20);
    await assert.rejects(aborted, /enough/);
    const writer = new AtomicWriter(join(path, 'file'));
    const discarded = rejects(writer.writeStream(ReadableStream.from(stalled())), 'ERR_DIRFD_CLOSED');
    while (writer.bytes === 0) await sleep(1);
    await writer[Symbol.asyncDispose]();
    await discarded;
    assert.deepEqual(readdirSync(path), []);
  });

  test('is ended, and waited for, where it has not', async (t) => {
    const { path } = await scratch(t);
    const ended: string[] = [];
    async function* source() {
      try {
        yield 'more than a byte';
      } finally {
        await sleep(5);
        ended.push('source');
      }
    }
    await rejects(writeChunks(join(path, 'file'), source(), { maxSize: 1 }), 'ERR_DIRFD_TOO_LARGE');
    assert.deepEqual(ended, ['source']);
  });

  test('ends with the signal of a transaction, and with its rollback', { timeout: 5000 }, async (t) => {
    const { directory } = await scratch(t);
    const abort = new AbortController();
    const aborted = await FileTransaction.begin(directory, { signal: abort.signal });
    const write = assert.rejects(aborted.write('file', stalled()), /enough/);
    setTimeout(() => abort.abort(new Error('enough')), 20);
    await write;
    await aborted.rollback();
    const given = await FileTransaction.begin(directory);
    const other = rejects(given.write('file', stalled()), 'ERR_DIRFD_CLOSED');
    await sleep(20);
    await given.rollback();
    await other;
    assert.equal(await directory.exists('file'), false);
  });
});
