// The decoder of packed batches (lib/native/layout.ts) on buffers that no addon would hand over: of random bytes, cut short, lying anywhere
// in a larger one. Whatever it answers comes from the buffer, or is a RangeError; nothing beside it is read, nothing hangs.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { PackedBatch } from '#dist/dirfd/entries.js';
import { LAYOUT, wordsOf } from '#dist/native/layout.js';
import { WalkBatch } from '#dist/walk/batch.js';

/** A byte that stands all round the buffer and nowhere in it. */
const OUTSIDE = 0x7e;

const inside = fc.uint8Array({ maxLength: 700 }).map((bytes) => bytes.map((byte) => (byte === OUTSIDE ? 0 : byte)));

/** Headers that claim a few records, more than there are, or anything. */
const header = fc.record({
  entries: fc.oneof(fc.nat(5), fc.nat(0xffff_ffff)),
  heapOffset: fc.oneof(fc.nat(800), fc.nat(0xffff_ffff)),
  ascii: fc.nat(1),
  special: fc.nat(1),
});

/** A packed batch within a larger buffer, beginning at any offset. */
function placed(bytes: Uint8Array, offset: number): Buffer {
  const around = Buffer.alloc(bytes.length + offset + 64, OUTSIDE);
  around.set(bytes, offset);
  return around.subarray(offset, offset + bytes.length);
}

const readers: Readonly<Record<string, (batch: WalkBatch, index: number) => unknown>> = {
  name: (batch, index) => batch.name(index),
  nameBytes: (batch, index) => batch.nameBytes(index),
  nameAsLatin1: (batch, index) => batch.nameAsLatin1(index),
  path: (batch, index) => batch.path(index),
  pathBytes: (batch, index) => batch.pathBytes(index),
  pathAsLatin1: (batch, index) => batch.pathAsLatin1(index),
  ignoreFile: (batch, index) => batch.ignoreFile(index),
  entryName: (batch, index) => batch.entryName(index),
  error: (batch, index) => batch.error(index)?.message,
  stat: (batch, index) => Object.values(batch.stat(index)),
  kind: (batch, index) => batch.kind(index),
  depth: (batch, index) => batch.depth(index),
};

const context = { root: { path: '/root' }, follow: false, buffers: false } as never;

test('no buffer, random or cut short, makes the decoder read beside it or hang', () => {
  fc.assert(
    fc.property(inside, header, fc.nat(9), fc.nat(8), (bytes, claimed, offset, index) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (const [field, value] of Object.entries(claimed)) {
        const at = LAYOUT[field as keyof typeof claimed];
        if (at + 4 <= bytes.length) view.setUint32(at, value, true);
      }
      const buffer = placed(bytes, offset);
      const batch = new WalkBatch(buffer, context);
      for (const [name, read] of Object.entries(readers)) {
        const answer = attempt(() => read(batch, index));
        assert.ok(!holdsOutside(answer), `${name}(${index}) has bytes of beside the buffer: ${String(answer)}`);
      }
    }),
    { numRuns: 3000 },
  );
});

test('a batch is read alike wherever it lies in a larger buffer', () => {
  const bytes = Buffer.alloc(LAYOUT.headerSize + LAYOUT.entrySize + LAYOUT.directorySize + 4);
  const write = (at: number, value: number) => bytes.writeUInt32LE(value, at);
  write(LAYOUT.entries, 1);
  write(LAYOUT.heapOffset, bytes.length - 4);
  write(LAYOUT.headerSize + LAYOUT.nameLength, 4);
  write(LAYOUT.headerSize + LAYOUT.mode, 0o100644);
  bytes.write('name', bytes.length - 4);
  for (let offset = 0; offset < 8; offset++) {
    const batch = new PackedBatch(placed(bytes, offset));
    assert.deepEqual([batch.length, batch.name(0), batch.kind(0)], [1, 'name', 'file'], `at ${offset}`);
    assert.equal(wordsOf(placed(bytes, offset))[LAYOUT.entries >> 2], 1);
  }
});

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof RangeError || error instanceof TypeError || isTooLarge(error), String(error));
    return undefined;
  }
}

function isTooLarge(error: unknown): boolean {
  return (error as { code?: string }).code === 'ERR_DIRFD_TOO_LARGE';
}

function holdsOutside(answer: unknown): boolean {
  if (typeof answer === 'string') return answer.includes(String.fromCharCode(OUTSIDE));
  return Buffer.isBuffer(answer) && answer.includes(OUTSIDE);
}
