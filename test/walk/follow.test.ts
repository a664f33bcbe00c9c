// symlinks: 'follow': links count as what they point to, beneath the root; the rest stay links.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { DirectoryFd, walk } from 'dirfd';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { plain } from '../fixtures/trees.js';
import { pathsOf, walkListing } from './listing.js';

const orders = ['any', 'breadth', 'depth', 'sorted'] as const;

/** Links of every sort; `outside` lies beside the root. */
function linked(directory: string): string {
  const root = join(directory, 'root');
  mkdirSync(join(root, 'd', 'e'), { recursive: true });
  mkdirSync(join(directory, 'outside'));
  writeFileSync(join(directory, 'outside', 'secret'), '');
  writeFileSync(join(root, 'd', 'file'), 'content');
  writeFileSync(join(root, 'd', 'e', 'deep'), '');
  const links: Record<string, string> = {
    'to-file': 'd/file',
    'to-directory': 'd/e',
    'to-link': 'to-directory',
    dangling: 'nothing',
    absolute: '/etc',
    escaping: '../outside',
    self: 'self',
    'd/up': '..',
    'd/e/back': '../../d',
    'd/aside': '../to-file',
  };
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(root, path));
  return root;
}

test('links are followed beneath the root, and end where they would run in circles', async (t) => {
  const root = linked(temporaryDirectory(t));
  const kinds = new Map<string, string>();
  for await (const { path, kind } of walk(root, { symlinks: 'follow' })) kinds.set(path, kind);
  const of = (kind: string) =>
    [...kinds]
      .filter(([, found]) => found === kind)
      .map(([path]) => path)
      .sort();
  assert.deepEqual(of('symlink'), [
    'absolute',
    'd/e/back',
    'd/up',
    'dangling',
    'escaping',
    'self',
    'to-directory/back/up',
    'to-link/back/up',
  ]);
  assert.equal(
    kinds.get('to-directory/back/e'),
    'directory',
    'the very directory that to-directory is, so not entered again',
  );
  assert.equal(kinds.has('to-directory/back/e/deep'), false);
  assert.equal(kinds.get('to-file'), 'file');
  assert.equal(kinds.get('d/aside'), 'file');
  assert.equal(kinds.get('to-directory'), 'directory');
  assert.equal(kinds.get('to-directory/deep'), 'file');
  assert.equal(kinds.get('to-link/deep'), 'file');
  assert.equal(kinds.get('d/up'), 'symlink', 'leads to the root, in which it lies');
  assert.equal(kinds.get('d/e/back'), 'symlink', 'leads to d, in which it lies');
  assert.equal(
    [...kinds.keys()].some((path) => path.includes('secret') || path.startsWith('absolute/')),
    false,
  );
});

test('every order follows alike, with few descriptors too', async (t) => {
  const root = linked(temporaryDirectory(t));
  const expected = await walkListing(root, { symlinks: 'follow' });
  for (const order of orders) {
    for (const maxOpenDirectories of [3, 64]) {
      assert.deepEqual(await walkListing(root, { symlinks: 'follow', order, maxOpenDirectories }), expected);
    }
  }
});

test('without follow, links are links', async (t) => {
  const root = temporaryDirectory(t);
  plain(root);
  assert.deepEqual((await pathsOf(root, { kinds: ['symlink'] })).sort(), [
    'a/b/up',
    'dangling',
    'link-to-a',
    'link-to-one',
  ]);
});

test('an entry found through links opens again', async (t) => {
  const root = linked(temporaryDirectory(t));
  await using directory = await DirectoryFd.open(root);
  let opened = 0;
  for await (const entry of walk(directory, { symlinks: 'follow' })) {
    if (entry.isFile()) {
      await using file = await entry.open();
      assert.equal((await file.stat()).ino, entry.stat.ino);
      opened++;
    } else if (entry.isDirectory()) {
      await using below = await entry.openDirectory();
      assert.equal(below.resolution, 'no-symlinks');
    } else {
      assert.ok((await entry.readlink()).length > 0);
    }
  }
  assert.ok(opened >= 5);
});

test('absolute links begin at the root where that is how its handle resolves, and lead out elsewhere', async (t) => {
  const root = linked(temporaryDirectory(t));
  rmSync(join(root, 'd', 'up'));
  rmSync(join(root, 'd', 'e', 'back'));
  symlinkSync('/d/e', join(root, 'rooted'));
  symlinkSync('../../../../d/e', join(root, 'climbing'));
  symlinkSync('/proc/self/root', join(root, 'magic'));
  for (const order of orders) {
    for (const resolution of ['no-symlinks', 'beneath', 'in-root'] as const) {
      await using directory = await DirectoryFd.open(root, { resolution });
      const found = (await pathsOf(directory, { symlinks: 'follow', order })).filter((path) => path.endsWith('/deep'));
      const expected = ['d/e/deep', 'to-directory/deep', 'to-link/deep'];
      if (resolution === 'in-root') expected.push('climbing/deep', 'rooted/deep');
      assert.deepEqual(found.sort(), expected.sort(), `${order}, ${resolution}`);
    }
  }
});

test('a link that was turned elsewhere does not open', async (t) => {
  const root = linked(temporaryDirectory(t));
  await using directory = await DirectoryFd.open(root);
  for await (const entry of walk(directory, { symlinks: 'follow', order: 'sorted' })) {
    if (entry.path !== 'to-file') continue;
    for (const elsewhere of ['d/e/deep', 'd', '../outside/secret', '/etc/passwd', 'to-file']) {
      rmSync(join(root, 'to-file'));
      symlinkSync(elsewhere, join(root, 'to-file'));
      await assert.rejects(entry.open(), { code: 'ERR_DIRFD_CHANGED' }, elsewhere);
    }
  }
});
