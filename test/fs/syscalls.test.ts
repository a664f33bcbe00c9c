// What a copy by dirfd/fs asks of the kernel: files are not copied one call into native code after another, each with looks of its own.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { countCalls } from '../fixtures/strace.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { traceScript } from '../fixtures/traced-script.js';

const script = `
  import { mkdtempSync, rmSync } from 'node:fs';
  import { copy } from 'dirfd/fs';
  const small = mkdtempSync('/tmp/dirfd-empty-');
  await copy(small, small + '-copy');
  rmSync(small, { recursive: true });
  rmSync(small + '-copy', { recursive: true });
  mark('begin');
  await copy(process.argv[1], process.argv[2]);
  mark('end');
`;

function callsFor(base: string, count: number): number {
  const source = join(base, `source-${count}`);
  mkdirSync(source);
  for (let index = 0; index < count; index++) writeFileSync(join(source, `file-${index}`), 'x'.repeat(1000));
  const counts = countCalls(traceScript(script, [source, join(base, `copy-${count}`)]));
  return [...counts.values()].reduce((sum, times) => sum + times, 0);
}

test('a file costs at most ten calls: the look at it when its directory is listed, and the nine of its copy', (t) => {
  if (!requireTool(t, 'strace')) return;
  const base = temporaryDirectory(t);
  const perFile = (callsFor(base, 600) - callsFor(base, 100)) / 500;
  t.diagnostic(`${perFile.toFixed(2)} calls a file`);
  assert.ok(perFile <= 10.1, `${perFile.toFixed(2)} calls a file`);
});
