// Logs damaged between a crash and the recovery. Bytes may be changed, lost and added anywhere: then all is old, or new, or the recovery says that it
// cannot tell. Records with right checksums and wrong content, as only a hand can write them, must not lead outside, nor to anything but an FsError.
// A few here; DIRFD_FUZZ_RUNS=10000 tries as many as that.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after as afterAll, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { FsError } from 'dirfd';
import { recover } from 'dirfd/transaction';
import fc from 'fast-check';
import { attempt } from '../fixtures/command.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { quickTemporaryRoot, removeAnything } from '../fixtures/temporary.js';
import { after, files, programs } from './crash.js';
import { fill, STATE, snapshot } from './snapshot.js';

const runs = Number(process.env.DIRFD_FUZZ_RUNS ?? 16);
/** Roots that one process leaves behind, killed. */
const BATCH = 40;

interface Crashed {
  /** Holds the root and, beside it, a file that is none of the transaction's business. */
  readonly place: string;
  readonly root: string;
  readonly log: string;
  /** Steps that were taken before the crash. */
  readonly taken: number;
}

const waiting: Crashed[] = [];
/** Where a test fails, or the process that was to crash does not, some are left. */
afterAll(() => {
  for (const { place } of waiting.splice(0)) removeAnything(place);
});

/** Adds transactions that have committed and taken some of their steps. */
function crash(count: number): void {
  const dist = (file: string) => JSON.stringify(pathToFileURL(join(repositoryRoot, 'dist', file)).href);
  for (let number = 0; number < count; number++) {
    const place = mkdtempSync(join(quickTemporaryRoot(), 'dirfd-fuzz-'));
    const root = join(place, 'root');
    waiting.push({ place, root, log: join(root, STATE, 't/log'), taken: number % 8 });
    mkdirSync(root);
    fill(root, files);
    writeFileSync(join(place, 'outside'), 'outside');
  }
  const body = programs.commit.split('\n').slice(2).join('\n').replaceAll('process.argv[1]', 'root');
  const script = `
    import { FileTransaction } from ${dist('transaction/main.js')};
    import { Applier } from ${dist('transaction/apply.js')};
    const take = Applier.prototype.take;
    let left = ${count};
    Applier.prototype.take = async function (steps, ...rest) {
      await take.call(this, steps.slice(0, steps.length > 1 ? globalThis.taken : 0), ...rest);
      await this.sync();
      if (--left === 0) process.kill(process.pid, 'SIGKILL');
      else globalThis.next();
      return new Promise(() => {});
    };
    for (const [root, taken] of JSON.parse(process.argv[1])) {
      const reached = new Promise((resolve) => Object.assign(globalThis, { next: resolve, taken }));
      void (async () => {${body.replace("process.argv[2] === 'keep'", 'false')}})();
      await reached;
    }`;
  const argument = JSON.stringify(waiting.map(({ root, taken }) => [root, taken]));
  const { signal, stderr } = attempt(process.execPath, ['--input-type=module', '-e', script, '--', argument]);
  assert.equal(signal, 'SIGKILL', stderr);
}

async function inCrashed(use: (crash: Crashed) => Promise<void>): Promise<void> {
  if (waiting.length === 0) crash(Math.min(BATCH, runs));
  const crashed = waiting.pop() as Crashed;
  const seen = lstatSync(join(crashed.place, 'outside'), { bigint: true });
  try {
    await use(crashed);
    const now = lstatSync(join(crashed.place, 'outside'), { bigint: true });
    assert.deepEqual([now.ino, now.ctimeNs], [seen.ino, seen.ctimeNs]);
    assert.deepEqual(
      Object.keys(snapshot(crashed.place)).filter((path) => !path.startsWith('root')),
      ['outside'],
    );
  } finally {
    removeAnything(crashed.place);
  }
}

const { old } = await (async () => {
  const place = mkdtempSync(join(quickTemporaryRoot(), 'dirfd-fuzz-'));
  fill(place, files);
  const before = snapshot(place);
  removeAnything(place);
  return { old: before };
})();

const part = fc.noBias(fc.nat({ max: 99_999 })).map((number) => number / 100_000);
const damage = fc.oneof(
  fc.record({ do: fc.constant('cut' as const), at: part }),
  fc.record({ do: fc.constant('flip' as const), at: part, bits: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ do: fc.constant('write' as const), at: part, bytes: fc.uint8Array({ minLength: 1, maxLength: 600 }) }),
  fc.record({ do: fc.constant('insert' as const), at: part, bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }) }),
  fc.record({ do: fc.constantFrom('drop' as const, 'repeat' as const), at: part }),
  fc.record({ do: fc.constant('swap' as const), at: part, with: part }),
);

function damaged(log: Buffer, how: typeof damage extends fc.Arbitrary<infer D> ? D : never): Buffer {
  const at = Math.floor(how.at * log.length);
  const lines = log.toString('latin1').split(/(?<=\n)/);
  const line = Math.floor(how.at * lines.length);
  const joined = (parts: readonly string[]) => Buffer.from(parts.join(''), 'latin1');
  switch (how.do) {
    case 'cut':
      return log.subarray(0, at);
    case 'flip':
      return Buffer.concat([log.subarray(0, at), Buffer.from([(log[at] as number) ^ how.bits]), log.subarray(at + 1)]);
    case 'write':
      return Buffer.concat([log.subarray(0, at), how.bytes, log.subarray(at + how.bytes.length)]);
    case 'insert':
      return Buffer.concat([log.subarray(0, at), how.bytes, log.subarray(at)]);
    case 'drop':
      return joined(lines.toSpliced(line, 1));
    case 'repeat':
      return joined(lines.toSpliced(line, 0, lines[line] as string));
    case 'swap': {
      const other = Math.floor(how.with * lines.length);
      return joined(lines.with(line, lines[other] as string).with(other, lines[line] as string));
    }
  }
}

test('whatever happens to the bytes of a log, all is old or new, or the recovery says that it cannot tell', async (t) => {
  const ends = { old: 0, new: 0, refused: 0, untold: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 2 }), (damages) =>
      inCrashed(async ({ root, log, taken }) => {
        const whole = readFileSync(log);
        const bytes = damages.reduce(damaged, whole);
        writeFileSync(log, bytes);
        // The first lines: begin, and the steps that were taken. Where none of these is left, nothing tells that any step was.
        const steps = whole
          .toString('latin1')
          .split('\n')
          .slice(1, 1 + taken);
        const left = new Set(bytes.toString('latin1').split('\n'));
        const isTold = taken === 0 || steps.some((line) => left.has(line) && !line.includes('"do":"chmod"'));
        try {
          await recover(root);
        } catch (error) {
          assert.ok(error instanceof FsError && error.name === 'StateError', String(error));
          ends.refused++;
          return;
        }
        if (!isTold) return void ends.untold++;
        const now = JSON.stringify(snapshot(root));
        assert.ok(now === JSON.stringify(old) || now === JSON.stringify(after), now);
        ends[now === JSON.stringify(old) ? 'old' : 'new']++;
      }),
    ),
    { numRuns: runs, endOnFailure: true },
  );
  t.diagnostic(JSON.stringify(ends));
  if (runs >= 100) assert.ok(ends.old > 0 && ends.new > 0 && ends.refused > 0);
});

const paths = [
  '..',
  '../outside',
  '/etc',
  '.',
  '',
  'a/../..',
  '\0',
  STATE,
  `${STATE}/t`,
  'a',
  'b',
  'c',
  'd/b',
  'n',
  '1',
  'constructor',
];
const texts = fc.oneof(fc.constantFrom(...paths), fc.string({ maxLength: 20 }), fc.bigInt().map(String));
const numbers = fc.oneof(fc.nat({ max: 12 }), fc.constantFrom(-1, 1.5, 2 ** 60), fc.nat());
/** By the type of what they take the place of, or of another one. */
const nasty = fc.record({
  string: texts,
  number: numbers,
  boolean: fc.boolean(),
  other: fc.constantFrom(null, true, [], {}, [[]], '..', 3),
  fits: fc.integer({ min: 0, max: 4 }).map((number) => number > 0),
});

/** Puts another value into one field, however deep, and makes the checksums right again. */
function forged(log: string, at: number, value: Record<string, unknown>, drops: boolean): string {
  const records = log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line.slice(25)));
  const fields: [object, string][] = [];
  const collect = (node: object) => {
    for (const [key, child] of Object.entries(node)) {
      fields.push([node, key]);
      if (typeof child === 'object' && child !== null) collect(child);
    }
  };
  collect(records);
  const [node, key] = fields[Math.floor(at * fields.length)] as [Record<string, unknown>, string];
  if (drops) delete node[key];
  else node[key] = value.fits ? (value[typeof node[key]] ?? value.other) : value.other;
  let checksum = '';
  return records
    .filter((record) => record !== undefined)
    .map((record) => {
      const json = JSON.stringify(record);
      checksum = createHash('sha256').update(checksum).update(json).digest('hex').slice(0, 24);
      return `${checksum} ${json}\n`;
    })
    .join('');
}

test('a log that was forged leads nowhere outside, and to nothing but an FsError', async (t) => {
  const ends = { done: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      part,
      nasty,
      fc.nat({ max: 9 }).map((number) => number === 0),
      (at, value, drops) =>
        inCrashed(async ({ root, log }) => {
          writeFileSync(log, forged(readFileSync(log, 'utf8'), at, value, drops));
          try {
            await recover(root);
            ends.done++;
          } catch (error) {
            assert.ok(error instanceof FsError, String(error));
            ends.refused++;
          }
        }),
    ),
    { numRuns: runs, endOnFailure: true },
  );
  t.diagnostic(JSON.stringify(ends));
});
