import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { byteCount, wholeNumber } from '#dist/cli/arguments.js';
import { printable, printableBytes } from '#dist/cli/terminal.js';
import { count, counted, duration } from '#dist/cli/units.js';
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
