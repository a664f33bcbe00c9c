// Threads or io_uring: the choice, its refusals, and that both tell the same. With DIRFD_ENGINE=io_uring the other files here run on the ring.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { capabilities, FsError, walk } from 'dirfd';
import { attempt } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { compiled } from '../fixtures/compile.js';
import { importable } from '../fixtures/ordinary-user.js';
import { withRefused } from '../fixtures/seccomp.js';
import { countCalls, markCalls } from '../fixtures/strace.js';
import { quickDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { traceScript } from '../fixtures/traced-script.js';
import { metadata, plain, project, wide } from '../fixtures/trees.js';
import { findListing, pathsOf, walkListing } from './listing.js';

const orders = ['any', 'breadth', 'depth', 'sorted'] as const;

/** Containers may forbid io_uring; then threads are all there is to test. */
function hasRing(t: TestContext): boolean {
  const ring = capabilities().features.find(({ name }) => name === 'io_uring');
  if (ring?.available) return true;
  t.skip(`no io_uring here: ${ring?.fallback}`);
  return false;
}

for (const order of orders) {
  test(`on io_uring a walk in order ${order} tells what find tells`, async (t) => {
    if (!hasRing(t)) return;
    for (const fill of [metadata, wide]) {
      const root = quickDirectory(t);
      fill(root);
      assert.deepEqual(await walkListing(root, { order, engine: 'io_uring' }), findListing(root));
    }
  });
}

test('the order sorted is that of the bytes, ahead of which the ring looks', async (t) => {
  if (!hasRing(t)) return;
  const root = quickDirectory(t);
  project(root);
  wide(root);
  const paths = await pathsOf(root, { order: 'sorted', engine: 'io_uring', encoding: 'buffer' });
  assert.deepEqual(paths, [...paths].sort());
});

test('the ring stats every name once, and no thread does', (t) => {
  if (!requireTool(t, 'strace') || !hasRing(t)) return;
  const root = quickDirectory(t);
  wide(root);
  const script = `
    import { walk } from 'dirfd';
    mark('begin');
    for await (const entry of walk(process.argv[1], { engine: 'io_uring', concurrency: 1 })) entry.stat;
    mark('end');
  `;
  const counts = countCalls(traceScript(script, [root], { trace: ['statx', ...markCalls] }));
  assert.ok((counts.get('statx') ?? 0) < 10, `${counts.get('statx')} statx for ${findListing(root).length} entries`);
});

test('the ring follows no symlink, and reports one that dangles', async (t) => {
  if (!hasRing(t)) return;
  const root = quickDirectory(t);
  plain(root);
  symlinkSync('/etc/passwd', join(root, 'link'));
  symlinkSync('nowhere', join(root, 'leads-nowhere'));
  const kinds = new Map<string, string>();
  for await (const { path, kind } of walk(root, { engine: 'io_uring' })) kinds.set(path, kind);
  assert.equal(kinds.get('link'), 'symlink');
  assert.equal(kinds.get('leads-nowhere'), 'symlink');
});

test('an early end leaves nothing in flight', async (t) => {
  if (!hasRing(t)) return;
  const root = quickDirectory(t);
  wide(root);
  for (const order of orders) {
    for await (const entry of walk(root, { engine: 'io_uring', order, batchSize: 1 })) {
      assert.ok(entry.path);
      break;
    }
  }
});

test('an engine that does not exist is refused', () => {
  assert.throws(
    () => walk('.', { engine: 'fibers' as 'auto' }),
    (error) => error instanceof FsError && error.code === 'ERR_DIRFD_INVALID_ARGUMENT' && /fibers/.test(error.message),
  );
});

/** Prints how many entries a walk on the default engine finds, which engine there is, and what asking for io_uring says. */
const asker = importable(`
  import { capabilities, walk } from 'dirfd';
  let entries = 0;
  for await (const entry of walk(process.argv[1])) entries++;
  let refusal = '';
  try {
    walk(process.argv[1], { engine: 'io_uring' });
  } catch (error) {
    refusal = error.message;
  }
  console.log([entries, capabilities().engine, refusal].join('; '));
`);
const command = (root: string) => [process.execPath, '--input-type=module', '-e', asker, '--', root];

for (const errno of ['ENOSYS', 'EPERM'] as const) {
  test(`where seccomp answers io_uring with ${errno}, walks run on threads, and asking for it says why`, (t) => {
    const seccomp = compiled(t, 'seccomp');
    if (seccomp === undefined) return;
    if (!hasRing(t)) return;
    const root = quickDirectory(t);
    plain(root);
    const ran = withRefused(seccomp, errno, ['io_uring_setup'], command(root));
    assert.equal(ran.status, 0, ran.stderr);
    const expected = `^${findListing(root).length}; threads; ERR_DIRFD_UNSUPPORTED: engine io_uring: .*\\(${errno}\\)`;
    assert.match(ran.stdout, new RegExp(expected));
  });
}

test('where seccomp lets a ring be made, and nothing be submitted to it, walks and copies are made by threads', (t) => {
  const seccomp = compiled(t, 'seccomp');
  if (seccomp === undefined || !hasRing(t)) return;
  const base = quickDirectory(t);
  const [root, copy] = [join(base, 'root'), join(base, 'copy')];
  mkdirSync(root);
  plain(root);
  writeFileSync(join(root, 'large'), Buffer.alloc(2 ** 20 + 1, 'x'));
  const script = importable(`
    import { copyTree, walk } from 'dirfd';
    const engine = 'io_uring';
    let entries = 0;
    for await (const entry of walk(process.argv[1], { engine })) entries++;
    await copyTree(process.argv[1], process.argv[2], { engine, reflink: 'never', existing: 'keep' });
    console.log(entries);
  `);
  const command = [process.execPath, '--input-type=module', '-e', script, '--', root, copy];
  const ran = withRefused(seccomp, 'EPERM', ['io_uring_enter'], command, { timeout: 20_000 });
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal(Number(ran.stdout), findListing(root).length);
  assertSameTree(root, copy);
});

test('DIRFD_DISABLE=io_uring leaves threads, and DIRFD_ENGINE is no way around it', (t) => {
  const root = quickDirectory(t);
  plain(root);
  const env = { ...process.env, DIRFD_DISABLE: 'io_uring', DIRFD_ENGINE: 'io_uring' };
  const [program = '', ...rest] = command(root);
  const ran = attempt(program, rest, { env });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stdout, /^\d+; threads; ERR_DIRFD_UNSUPPORTED: .*(DIRFD_DISABLE|liburing)/);
});
