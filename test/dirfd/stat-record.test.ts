// The decoder of stat records, over records that no file system at hand would give.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Stat as StatView } from 'dirfd';
import * as fc from 'fast-check';

const { Stat } = (await import('#dist/dirfd/stat.js' as string)) as {
  Stat: new (record: Buffer) => Readonly<StatView>;
};
const { LAYOUT } = (await import('#dist/native/layout.js' as string)) as {
  LAYOUT: Readonly<
    Record<'statSize' | 'ino' | 'dev' | 'mountId' | 'size' | 'blocks' | 'mtimeSeconds' | 'mtimeNanoseconds', number>
  >;
};

function record(fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(LAYOUT.statSize);
  fill(bytes);
  return bytes;
}

test('64-bit inodes and devices are exact', () => {
  const all = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(all, all, all, (ino, dev, mountId) => {
      const stat = new Stat(
        record((bytes) => {
          bytes.writeBigUInt64LE(ino, LAYOUT.ino);
          bytes.writeBigUInt64LE(dev, LAYOUT.dev);
          bytes.writeBigUInt64LE(mountId, LAYOUT.mountId);
        }),
      );
      assert.deepEqual([stat.ino, stat.dev, stat.mountId], [ino, dev, mountId]);
    }),
  );
});

test('a size is exact up to 2^53 - 1, and refused beyond, never rounded', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (size) => {
      const stat = new Stat(record((bytes) => bytes.writeBigUInt64LE(size, LAYOUT.size)));
      if (size < 2n ** 53n) assert.equal(BigInt(stat.size), size);
      else assert.throws(() => stat.size, { code: 'ERR_DIRFD_TOO_LARGE', message: new RegExp(String(size)) });
    }),
    { examples: [[2n ** 53n - 1n], [2n ** 53n], [2n ** 53n + 1n], [2n ** 64n - 1n], [2n ** 32n], [2n ** 32n - 1n]] },
  );
  const blocks = new Stat(record((bytes) => bytes.writeBigUInt64LE(2n ** 53n, LAYOUT.blocks)));
  assert.throws(() => blocks.blocks, { code: 'ERR_DIRFD_TOO_LARGE' });
  assert.equal(blocks.size, 0);
});

test('times of any 64-bit second are exact', () => {
  const seconds = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(seconds, fc.integer({ min: 0, max: 999_999_999 }), (s, ns) => {
      const stat = new Stat(
        record((bytes) => {
          bytes.writeBigInt64LE(s, LAYOUT.mtimeSeconds);
          bytes.writeUInt32LE(ns, LAYOUT.mtimeNanoseconds);
        }),
      );
      assert.equal(stat.mtimeNs, s * 1_000_000_000n + BigInt(ns));
    }),
  );
});
