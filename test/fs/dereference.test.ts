// What the links of the source lead to: found from held directories, whatever is in their names, and whatever becomes of them meanwhile.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FsError } from 'dirfd';
import { cp } from 'dirfd/fs';
import { compiled } from '../fixtures/compile.js';
import { flip } from '../fixtures/flipper.js';
import { ordinaryDirectory, ordinaryUserCanRun, runAsOrdinaryUser } from '../fixtures/ordinary-user.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { isRoot, requireTool } from '../fixtures/tools.js';
import { pathBased, traceScript } from '../fixtures/traced-script.js';
import { makeTree, readTree } from './tree-lines.js';

const milliseconds = Number(process.env.DIRFD_TEST_FLIP_MS ?? 300);
const following = { recursive: true, dereference: true } as const;

/** A tree in which `src` holds links, and the copy that is made of it. */
async function copyOf(t: TestContext, tree: readonly string[]): Promise<string> {
  const root = temporaryDirectory(t);
  makeTree(root, tree);
  await cp(join(root, 'src'), join(root, 'dest'), following);
  return join(root, 'dest');
}

test('forty links are followed, and the forty-first is ELOOP, as of the kernel', async (t) => {
  const chain = Array.from({ length: 40 }, (_, index) => `l${index} -> ${index === 0 ? 'file' : `l${index - 1}`}`);
  assert.deepEqual(readTree(await copyOf(t, ['file = x', ...chain.slice(0, 39), 'src/link -> ../l38'])), ['link = x']);
  await assert.rejects(copyOf(t, ['file = x', ...chain, 'src/link -> ../l39']), { code: 'ELOOP', path: 'link' });
});

test('names on the way may hold any bytes', async (t) => {
  const root = temporaryDirectory(t);
  const odd = Buffer.from([0x2e, 0x2e, 0xff, 0x0a, 0xc3]);
  mkdirSync(Buffer.concat([Buffer.from(`${root}/`), odd]));
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), odd, Buffer.from('/'), odd]), 'x');
  mkdirSync(join(root, 'src'));
  symlinkSync(Buffer.concat([Buffer.from('../'), odd, Buffer.from('//./'), odd]), join(root, 'src/file'));
  symlinkSync(Buffer.concat([Buffer.from('../'), odd, Buffer.from('///')]), join(root, 'src/directory'));
  await cp(join(root, 'src'), join(root, 'dest'), following);
  assert.equal(readFileSync(join(root, 'dest/file'), 'utf8'), 'x');
  assert.equal(readFileSync(Buffer.concat([Buffer.from(`${root}/dest/directory/`), odd]), 'utf8'), 'x');
});

test('a link that dangles is named in its directory', async (t) => {
  const root = temporaryDirectory(t);
  makeTree(root, ['src/d/link -> ../nowhere/at/all']);
  await assert.rejects(cp(join(root, 'src'), join(root, 'dest'), following), (error: FsError) => {
    assert.deepEqual([error.code, error.path, error.directory], ['ENOENT', 'link', join(root, 'src/d')]);
    assert.ok(error instanceof FsError);
    return true;
  });
});

test('a directory that may be searched and not read is passed through, as by the kernel', (t) => {
  if (!ordinaryUserCanRun(t)) return;
  const root = ordinaryDirectory(t);
  makeTree(root, ['closed/d/a = x', 'closed/b = y', 'src/d -> ../closed/d', 'src/b -> ../closed/b']);
  // Of root, for whom the script does not run, or the user's own.
  chmodSync(join(root, 'closed'), 0o311);
  if (isRoot()) chmodSync(join(root, 'closed'), 0o711);
  const script = `import { cp } from 'dirfd/fs'; await cp('src', 'dest', { recursive: true, dereference: true });`;
  const ran = runAsOrdinaryUser(root, script);
  chmodSync(join(root, 'closed'), 0o755);
  assert.equal(ran.status, 0, ran.stderr);
  assert.deepEqual(readTree(join(root, 'dest')), ['b = y', 'd/a = x']);
});

test('magic links of /proc: a directory, and a file that has the name that the link tells, and no other', async (t) => {
  const root = temporaryDirectory(t);
  makeTree(root, ['d/a = x', 'held = y', 'gone = z', 'src/']);
  const held = openSync(join(root, 'held'), 'r');
  const gone = openSync(join(root, 'gone'), 'r');
  t.after(() => [held, gone].forEach(closeSync));
  symlinkSync(`/proc/self/fd/${held}`, join(root, 'src/file'));
  symlinkSync(`/proc/${process.pid}/root${join(root, 'd')}`, join(root, 'src/directory'));
  symlinkSync('/proc/thread-self/root', join(root, 'root'));
  symlinkSync(`../root${join(root, 'd/a')}`, join(root, 'src/through'));
  await cp(join(root, 'src'), join(root, 'dest'), following);
  assert.deepEqual(readTree(join(root, 'dest')), ['directory/a = x', 'file = y', 'through = x']);
  // The text of the link is now another file's name: to believe it would be to copy what somebody else has put there.
  unlinkSync(join(root, 'gone'));
  writeFileSync(join(root, 'gone (deleted)'), 'SECRET');
  symlinkSync(`/proc/self/fd/${gone}`, join(root, 'link'));
  await assert.rejects(cp(join(root, 'link'), join(root, 'copy'), following), { code: 'ERR_DIRFD_CHANGED' });
  assert.deepEqual(readdirSync(root).includes('copy'), false);
});

test('nothing is named from the root of the file system but what the caller and an absolute link name', (t) => {
  if (!requireTool(t, 'strace')) return;
  const root = temporaryDirectory(t);
  makeTree(root, ['d/a = x', 'd/b = x', 'src/d -> ../d', 'src/a -> ../d/a', 'src/b -> $/d/b', 'src/c -> b']);
  makeTree(root, ['again/l -> ../d', 'dest2/l -> ../other']);
  const script = `
    import { cp } from 'dirfd/fs';
    await cp(process.argv[1], process.argv[2] + '-first', { recursive: true, dereference: true });
    mark('begin');
    await cp(process.argv[1], process.argv[2], { recursive: true, dereference: true });
    await cp(process.argv[3], process.argv[4], { recursive: true });
    mark('end');
  `;
  const paths = ['src', 'dest', 'again', 'dest2'].map((name) => join(root, name));
  const events = traceScript(script, paths);
  assert.deepEqual(
    events.filter(({ args }) => args.some((argument) => argument.startsWith('"/proc/'))),
    [],
  );
  const named = pathBased(events).map(({ call, args }) => `${call} ${args[1]}`);
  const own = `openat "${root}/"`;
  // Of an absolute link: the directory that its file lies in, once for each link that leads there by it.
  assert.deepEqual(
    named.filter((call) => call !== own),
    Array(2).fill(`openat "${root}/d/"`),
  );
  assert.equal(named.filter((call) => call === own).length, 4);
});

/** Copies while two names are exchanged all the while, and gives what came of it, each once. */
async function underExchange(t: TestContext, tree: readonly string[], [a, b]: readonly [string, string]) {
  const program = compiled(t, 'flipper');
  if (program === undefined) return undefined;
  const root = temporaryDirectory(t);
  makeTree(root, tree);
  const outcomes = new Set<string>();
  const flipper = await flip(program, join(root, a), join(root, b));
  try {
    const end = performance.now() + milliseconds;
    for (let runs = 0; performance.now() < end || runs < 20; runs++) {
      rmSync(join(root, 'dest'), { recursive: true, force: true });
      const outcome = await cp(join(root, 'src'), join(root, 'dest'), following).then(
        () => readTree(join(root, 'dest')).join(),
        (error: FsError) => error.code,
      );
      outcomes.add(outcome);
    }
  } finally {
    assert.ok((await flipper.stop()) > 0, 'the names were not exchanged: the harness is broken');
  }
  return [...outcomes].sort();
}

function assertOnly(outcomes: readonly string[] | undefined, allowed: readonly string[]): void {
  const others = outcomes?.filter((outcome) => !allowed.includes(outcome));
  assert.deepEqual(others ?? [], []);
}

/** The exchange fell between the look at a file and its copy. */
const noticed: readonly string[] = ['ERR_DIRFD_CHANGED', 'ERR_DIRFD_TORN'];

test('a directory on the way is exchanged: a file is the one or the other, a directory all of the one or of the other', async (t) => {
  const tree = ['t/x/f/a = 1', 't/x/f/b = 1', 't/y/f/a = 2', 't/y/f/b = 2'];
  const whole = await underExchange(t, [...tree, 'src/link -> ../t/x/f'], ['t/x', 't/y']);
  assertOnly(whole, ['link/a = 1,link/b = 1', 'link/a = 2,link/b = 2']);
  const file = await underExchange(t, [...tree, 'src/link -> ../t/x/f/a'], ['t/x', 't/y']);
  assertOnly(file, ['link = 1', 'link = 2']);
});

test('what a link leads to is exchanged for a FIFO, a directory, another link: it is one of them, and nothing waits', async (t) => {
  const fifo = await underExchange(t, ['t/x = 1', 't/y |', 'src/link -> ../t/x'], ['t/x', 't/y']);
  assertOnly(fifo, ['link = 1', 'ERR_FS_CP_FIFO_PIPE', ...noticed]);
  const directory = await underExchange(t, ['t/x = 1', 't/y/a = 2', 'src/link -> ../t/x'], ['t/x', 't/y']);
  assertOnly(directory, ['link = 1', 'link/a = 2', ...noticed]);
  const link = await underExchange(t, ['t/x = 1', 'z = 2', 't/y -> ../z', 'src/link -> ../t/x'], ['t/x', 't/y']);
  assertOnly(link, ['link = 1', 'link = 2', ...noticed]);
});
