// Names exchanged all the while a tree is copied, again and again: nothing outside is read or written, and nothing hangs. The staged
// forms of these races are in races.test.ts.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  promises,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyTree } from 'dirfd';
import { run } from '../fixtures/command.js';
import { compiled } from '../fixtures/compile.js';
import { flip } from '../fixtures/flipper.js';
import { type Pair, pair } from './pair.js';

const secret = 'SECRET of somebody else\n';
const milliseconds = Number(process.env.DIRFD_TEST_FLIP_MS ?? 700);
const watchdog = 3000;

interface Attacked extends Pair {
  readonly outside: string;
}

/** A pair, and beside it a directory that no copy may read from or write to. */
function attacked(t: TestContext): Attacked {
  const made = pair(t);
  const outside = join(made.base, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'file'), secret, { mode: 0o600 });
  return { ...made, outside };
}

/** What an attack would change: names, content, modes and, because it cannot be set back, ctime. */
function sentinel(outside: string): string {
  const told = (path: string): string => {
    const { mode, uid, ctimeNs, nlink } = lstatSync(path, { bigint: true });
    return `${mode} ${uid} ${ctimeNs} ${nlink}`;
  };
  const file = join(outside, 'file');
  return [readdirSync(outside).join(), readFileSync(file, 'utf8'), told(outside), told(file)].join('\n');
}

/** Whether the secret has come into a tree, under any name, read through no link. */
function holdsSecret(tree: string): boolean {
  return readdirSync(tree, { withFileTypes: true }).some((entry) => {
    const path = join(tree, entry.name);
    if (entry.isDirectory()) return holdsSecret(path);
    return entry.isFile() && readFileSync(path, 'utf8').includes('SECRET');
  });
}

/** Runs `copyOnce` for a while under the exchange of two names, or until it answers true. */
async function underExchange(t: TestContext, a: string, b: string, copyOnce: () => Promise<boolean>): Promise<boolean> {
  const program = compiled(t, 'flipper');
  if (program === undefined) return true;
  const flipper = await flip(program, a, b);
  const end = performance.now() + milliseconds;
  let [runs, stopped] = [0, false];
  try {
    while (!stopped && (performance.now() < end || runs < 3)) {
      stopped = await copyOnce();
      runs++;
    }
  } finally {
    const exchanges = await flipper.stop();
    t.diagnostic(`${runs} copies, ${exchanges} exchanges`);
    assert.ok(exchanges > runs, 'the names were not exchanged: the harness is broken');
  }
  return stopped;
}

/** Failures are fine; a hang is not. */
async function settles(work: PromiseLike<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<'hang'>((resolve) => {
    timer = setTimeout(resolve, watchdog, 'hang');
  });
  const outcome = await Promise.race([Promise.resolve(work).catch(() => 'failed'), hang]);
  clearTimeout(timer);
  assert.notEqual(outcome, 'hang', 'the copy hangs');
}

function sourceOfDirectories({ from, outside }: Attacked): void {
  mkdirSync(from('directory'));
  writeFileSync(from('directory', 'file'), 'harmless');
  for (let index = 0; index < 20; index++) writeFileSync(from('directory', `more-${index}`), 'harmless');
  symlinkSync(outside, from('exchanged'));
}

test('red control: the copy of node:fs leaks in this very harness', async (t) => {
  const stage = attacked(t);
  sourceOfDirectories(stage);
  const end = performance.now() + 20_000;
  let leaked = compiled(t, 'flipper') === undefined;
  while (!leaked && performance.now() < end) {
    leaked = await underExchange(t, stage.from('directory'), stage.from('exchanged'), async () => {
      rmSync(stage.destination, { recursive: true, force: true });
      await promises.cp(stage.source, stage.destination, { recursive: true }).catch(() => {});
      return holdsSecret(stage.destination);
    });
  }
  assert.ok(leaked, 'the harness shows no leak where there is one');
});

test('a directory of the source exchanged with a symlink: nothing outside is read', async (t) => {
  const stage = attacked(t);
  sourceOfDirectories(stage);
  const leaked = await underExchange(t, stage.from('directory'), stage.from('exchanged'), async () => {
    rmSync(stage.destination, { recursive: true, force: true });
    await settles(copyTree(stage.source, stage.destination, { onError: 'continue' }));
    return holdsSecret(stage.destination);
  });
  assert.ok(!leaked || t.signal.aborted || compiled(t, 'flipper') === undefined, 'the secret was copied');
});

const planted: Record<string, (path: string, outside: string) => void> = {
  'a symlink': (path, outside) => symlinkSync(join(outside, 'file'), path),
  'a FIFO': (path) => run('mkfifo', [path]),
};

for (const [what, plant] of Object.entries(planted)) {
  test(`a file of the source exchanged with ${what}: nothing outside is read, nothing waits`, async (t) => {
    const stage = attacked(t);
    for (let index = 0; index < 20; index++) writeFileSync(stage.from(`more-${index}`), 'harmless');
    writeFileSync(stage.from('file'), 'harmless');
    plant(stage.from('exchanged'), stage.outside);
    await underExchange(t, stage.from('file'), stage.from('exchanged'), async () => {
      rmSync(stage.destination, { recursive: true, force: true });
      await settles(copyTree(stage.source, stage.destination, { onError: 'continue' }));
      assert.ok(!holdsSecret(stage.destination), 'the secret was copied');
      return false;
    });
  });

  test(`a file of the destination exchanged with ${what}: nothing outside is written, nothing waits`, async (t) => {
    const stage = attacked(t);
    writeFileSync(stage.from('file'), 'harmless', { mode: 0o666 });
    mkdirSync(stage.destination);
    writeFileSync(stage.to('file'), 'old');
    writeFileSync(stage.to('exchanged'), 'old');
    const before = sentinel(stage.outside);
    let update = false;
    await underExchange(t, stage.to('file'), stage.to('exchanged'), async () => {
      rmSync(join(stage.base, 'fresh'), { force: true });
      plant(join(stage.base, 'fresh'), stage.outside);
      renameSync(join(stage.base, 'fresh'), stage.to('exchanged'));
      update = !update;
      await settles(copyTree(stage.source, stage.destination, { onError: 'continue', update }));
      return false;
    });
    assert.equal(sentinel(stage.outside), before);
    assert.deepEqual(readdirSync(stage.destination).sort(), ['exchanged', 'file']);
  });
}

test('a directory of the destination exchanged with a symlink: nothing outside is written or removed', async (t) => {
  const stage = attacked(t);
  for (const name of ['file', 'a', 'b', 'c']) {
    mkdirSync(stage.from('directory', 'sub'), { recursive: true });
    writeFileSync(stage.from('directory', name), 'harmless', { mode: 0o666 });
    writeFileSync(stage.from('directory', 'sub', name), 'harmless');
  }
  mkdirSync(stage.to('directory'), { recursive: true });
  symlinkSync(stage.outside, stage.to('exchanged'));
  // Two names for each in the source too, so that neither is a stranger to be deleted.
  symlinkSync(stage.outside, stage.from('exchanged'));
  const before = sentinel(stage.outside);
  const held = openSync(stage.to('directory'), 'r');
  try {
    await underExchange(t, stage.to('directory'), stage.to('exchanged'), async () => {
      for (const name of readdirSync(`/proc/self/fd/${held}`)) {
        rmSync(`/proc/self/fd/${held}/${name}`, { recursive: true, force: true });
      }
      const job = copyTree(stage.source, stage.destination, { onError: 'continue', existing: 'keep', delete: true });
      await settles(job);
      return false;
    });
  } finally {
    closeSync(held);
  }
  assert.equal(sentinel(stage.outside), before);
});
