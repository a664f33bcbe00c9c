import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { byteCount, wholeNumber } from '#dist/cli/arguments.js';
import { fitted } from '#dist/cli/progress.js';
import { printable, printableBytes } from '#dist/cli/terminal.js';
import { count, counted, duration, roughly } from '#dist/cli/units.js';
import { awkwardNames } from '../fixtures/trees.js';

describe('a name on a terminal', () => {
  test('holds nothing that moves the cursor, breaks the line or reorders text', () => {
    for (const name of awkwardNames) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the point of the test
      assert.doesNotMatch(printableBytes(name), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }
  });

  test('is never the same for two names', () => {
    assert.equal(new Set(awkwardNames.map(printableBytes)).size, awkwardNames.length);
  });

  test('stays as it is where it is harmless', () => {
    for (const name of ['plain', 'é', '🗂️ folder', "it's"]) assert.equal(printable(name), name);
    assert.equal(printable('line\nbreak\\'), 'line\\nbreak\\\\');
    assert.equal(printableBytes(Buffer.from([0x61, 0xe2, 0x82])), 'a\\xe2\\x82');
  });
});

test('sizes are read as rsync and dd read them', () => {
  const sizes = { '512': 512, '4k': 4096, '1.5M': 1_572_864, '10MB': 10_000_000, '10MiB': 10_485_760, '2G': 2 ** 31 };
  for (const [text, value] of Object.entries(sizes)) assert.equal(byteCount(text), value, text);
  for (const wrong of ['', '-1', '0', 'ten', '1x', '1 M', 'Infinity'])
    assert.throws(() => byteCount(wrong), /bytes/, wrong);
});

test('whole numbers have their bounds', () => {
  assert.equal(wholeNumber()('12'), 12);
  for (const wrong of ['', '-1', '1.5', '1e3', '0x10', '99999999999999999999'])
    assert.throws(() => wholeNumber()(wrong));
  assert.throws(() => wholeNumber(1, 8)('9'), /from 1 to 8/);
});

test('numbers are written for people', () => {
  assert.equal(count(1234567), '1,234,567');
  assert.equal(counted(1, 'entry', 'entries'), '1 entry');
  assert.equal(counted(0, 'file'), '0 files');
  assert.deepEqual([0.421, 12.34, 185, 7620].map(duration), ['0.42 s', '12.3 s', '3 min 05 s', '2 h 07 min']);
});

test('a bar fits its terminal, and what is left of the time is the last to go', () => {
  const ofAll = '61,234 of 133,012 entries';
  const cells = { ofAll, entries: '61,234 entries', size: '512 MB', rate: '412 MB/s', time: '2 s left' };
  const at = (columns: number, progress?: number) => fitted(columns, 'copying', progress, cells);
  for (let columns = 1; columns < 200; columns++) {
    for (const progress of [undefined, 0, 0.46, 0.999]) assert.ok(at(columns, progress).length < columns);
    if (columns > 24) assert.match(at(columns, 0.46), / 46%.* 2 s left$/, `${columns} columns`);
  }
  assert.equal(at(80, 0.46), 'copying [=======>         ] 46% | 61,234 entries | 512 MB | 412 MB/s | 2 s left');
  assert.match(
    at(100, 0.46),
    /^copying \[=+> +\] 46% \| 61,234 of 133,012 entries \| 512 MB \| 412 MB\/s \| 2 s left$/,
  );
  assert.equal(at(80), 'copying | 61,234 of 133,012 entries | 512 MB | 412 MB/s | 2 s left');
  assert.deepEqual([0.2, 59.2, 61, 7300].map(roughly), ['1 s', '1 min 00 s', '1 min 01 s', '2 h 01 min']);
});
