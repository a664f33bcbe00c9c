// A /proc that is missing, empty, or made up by somebody: verbs and copies give the same, and nothing in it is believed.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { attempt } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { importable } from '../fixtures/ordinary-user.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireRoot, requireTool } from '../fixtures/tools.js';
import { metadata, names } from '../fixtures/trees.js';

const script = importable(`
  import { copyTree, DirectoryFd } from 'dirfd';
  const [, source, destination] = process.argv;
  const directory = await DirectoryFd.open(source);
  await directory.writeFile('plain', 'inside');
  await directory.chmod('plain', 0o640);
  const text = await directory.readFile('plain', 'utf8');
  const report = await copyTree(source, destination, { onError: 'continue' });
  const errors = report.errors.map(({ path, error }) => path + ' ' + error.code);
  const notKept = report.notKept.map(({ path, what, code }) => [path, what, code].join(' '));
  console.log(JSON.stringify({ text, errors, notKept }));
  await directory.close();
`);

/** Runs the script where `fake` is mounted at /proc, in a mount namespace of its own. */
function underProc(fake: readonly string[], source: string, destination: string) {
  const shell = ['sh', '-euc', `${fake.join(' ')} && exec "$@"`, 'sh'];
  const node = [process.execPath, '--input-type=module', '-e', script, '--', source, destination];
  const { stdout, stderr } = attempt('unshare', ['--mount', '--propagation', 'private', ...shell, ...node]);
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as { readonly text: string; readonly errors: string[]; readonly notKept: string[] };
}

function tree(t: TestContext): { readonly base: string; readonly source: string; readonly destination: string } {
  const base = temporaryDirectory(t);
  const source = join(base, 'source');
  mkdirSync(join(source, 'names'), { recursive: true });
  mkdirSync(join(source, 'metadata'));
  writeFileSync(join(source, 'plain'), 'before');
  names(join(source, 'names'));
  metadata(join(source, 'metadata'));
  return { base, source, destination: join(base, 'destination') };
}

test('without a /proc, verbs and copies give the same', (t) => {
  if (!requireRoot(t) || !requireTool(t, 'unshare', 'mount')) return;
  const { source, destination } = tree(t);
  const { text, errors, notKept } = underProc(['mount -t tmpfs none /proc'], source, destination);
  assert.deepEqual([text, errors, notKept], ['inside', [], []]);
  assertSameTree(source, destination);
});

test('a made-up /proc, whose descriptors lead to a sentinel, is not believed', (t) => {
  if (!requireRoot(t) || !requireTool(t, 'unshare', 'mount')) return;
  const { base, source, destination } = tree(t);
  const sentinel = join(base, 'sentinel');
  writeFileSync(sentinel, 'SENTINEL', { mode: 0o600 });
  for (const directory of ['self/fd', 'thread-self/fd']) {
    mkdirSync(join(base, 'proc', directory), { recursive: true });
    for (let fd = 0; fd < 200; fd++) symlinkSync(sentinel, join(base, 'proc', directory, String(fd)));
  }
  const { text, errors, notKept } = underProc([`mount --bind '${join(base, 'proc')}' /proc`], source, destination);
  assert.deepEqual([text, errors, notKept], ['inside', [], []]);
  assertSameTree(source, destination);
  assert.equal(readFileSync(sentinel, 'utf8'), 'SENTINEL');
  const { mode } = JSON.parse(attempt('stat', ['-c', '{"mode":"%a"}', sentinel]).stdout) as { readonly mode: string };
  assert.equal(mode, '600');
});
