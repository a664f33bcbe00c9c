// A sample of `npm run race`: every operation under every attack, a few runs each, and one control that is led astray by each attack.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { directoryCalls } from '../dirfd/every-verb.js';
import { takingVerbs, verbs } from '../dirfd/path-verbs.js';
import { compiled } from '../fixtures/compile.js';
import { callsBetween, markCalls, strace } from '../fixtures/strace.js';
import { quickDirectory, quickTemporaryRoot, temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { Arena, depthsOf, unavailable } from './arena.js';
import { type Place, race } from './harness.js';
import { operations } from './operations.js';
import { attacks, cellsOf, control, oneEngineEach } from './plan.js';

const milliseconds = 80;

function placeFor(t: TestContext): Place | undefined {
  const flipper = compiled(t, 'flipper');
  if (flipper === undefined) return undefined;
  return { flipper, directory: temporaryDirectory(t, 'dirfd-race-', quickTemporaryRoot()) };
}

for (const [turn, attack] of attacks.entries()) {
  const name = `${attack.exchange.replace('-', ' and ')} exchanged in the ${attack.side}`;

  test(`${name}: no operation leaves the tree or waits`, async (t) => {
    const reason = unavailable(attack);
    if (reason !== undefined) return t.skip(reason);
    const place = placeFor(t);
    if (place === undefined) return;
    const every = depthsOf(attack);
    // Sources and destinations are attacked in turn: each operation is to meet both on each engine.
    const cells = oneEngineEach(cellsOf(operations, [attack]).cells, turn + Math.floor(turn / 2));
    for (const [index, { operation }] of cells.entries()) {
      // One depth each, in turn: the command takes all.
      const how = { milliseconds, depths: [every[index % every.length]!] };
      const { runs, exchanges, escapes, hangs, notes } = await race(place, operation, attack, how);
      assert.deepEqual([escapes, hangs], [0, 0], `${operation.name}: ${notes.join('; ')}`);
      assert.ok(exchanges > runs / 10, `${operation.name}: ${exchanges} exchanges in ${runs} runs are no race`);
    }
  });

  test(`${name}: red control, a peer is led astray in the same harness`, async (t) => {
    const reason = unavailable(attack);
    if (reason !== undefined) return t.skip(reason);
    const place = placeFor(t);
    if (place === undefined) return;
    assert.ok(await control(place, attack, { milliseconds: 1000, every: false }), 'the harness is broken');
  });
}

test('what a peer has left waiting at a FIFO is woken before the FIFO goes', { timeout: 10_000 }, async (t) => {
  const arena = new Arena(quickDirectory(t), { exchange: 'file-fifo', side: 'source' }, 1);
  const waiting = open(arena.trap, 'r');
  await sleep(50);
  arena.remove();
  await (await waiting).close();
});

test('what is raced on io_uring is stat’ed there, and large files are copied there', (t) => {
  const rings = operations.filter(({ onRing }) => onRing !== undefined);
  const reason = rings[0]?.unavailable?.(attacks[0]!);
  if (reason !== undefined) return t.skip(reason);
  if (!requireTool(t, 'strace')) return;
  const program = fileURLToPath(new URL('ring-runs.js', import.meta.url));
  const trace = ['io_uring_setup', 'fcntl', ...markCalls];
  const { events, status, stderr } = strace([process.execPath, program, quickDirectory(t)], { trace });
  assert.equal(status, 0, stderr);
  for (const [index, { name }] of rings.entries()) {
    const calls = callsBetween(events, `begin-${index}`, `end-${index}`).map(({ call, args }) =>
      [call, ...args].join(' '),
    );
    const has = (pattern: RegExp): boolean => calls.some((call) => pattern.test(call));
    assert.ok(has(/^io_uring_setup 256 /), `${name} opens no ring to stat names on`);
    if (!name.startsWith('walk')) assert.ok(has(/^fcntl .* F_SETFL .*O_DIRECT/), `${name} copies nothing on a ring`);
  }
});

test('every verb of a DirectoryFd is raced', () => {
  // These take no path.
  const pathless = ['statfs', 'sync', 'syncFileSystem'];
  const raced = new Set(Object.keys({ ...verbs, ...takingVerbs }).map((key) => key.split(' ')[0]));
  const known = Object.keys(directoryCalls).filter((verb) => !pathless.includes(verb));
  assert.deepEqual(
    known.filter((verb) => !raced.has(verb)),
    [],
  );
});
