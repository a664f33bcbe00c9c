// Paths beyond PATH_MAX (4096 bytes), which no single system call takes: by every verb, in every mode, with both resolvers.
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { deep, depthBeyondPathMax } from '../fixtures/trees.js';
import { opened, rejects, scratch } from './scratch.js';

expectNoLeaks();

const chain = Array.from({ length: depthBeyondPathMax }, (_, level) => `${level}-`.padEnd(200, 'd')).join('/');

for (const resolution of ['no-symlinks', 'beneath', 'in-root'] as const) {
  test(`every verb takes a path of ${chain.length} bytes: ${resolution}`, async (t) => {
    const { path, directory } = await scratch(t, { resolution });
    deep(path);
    const at = (name: string) => `${chain}/${name}`;
    assert.equal(await directory.readFile(at('bottom.txt'), 'utf8'), 'the bottom\n');
    await directory.writeFile(at('file'), 'new');
    await directory.chmod(at('file'), 0o600);
    await directory.utimes(at('file'), 1n, 2n);
    assert.equal((await directory.stat(at('file'))).mtimeNs, 2n);
    await directory.rename(at('file'), at('moved'));
    await directory.link(at('moved'), 'link');
    await directory.symlink('bottom.txt', at('symlink'));
    assert.equal(await directory.readlink(at('symlink')), 'bottom.txt');
    await directory.mkdir(at('x/y/z'), { recursive: true });
    assert.deepEqual((await directory.readdir(chain)).sort(), ['bottom.txt', 'moved', 'symlink', 'x']);
    await using below = await directory.openDirectory(at('x'));
    assert.deepEqual(await below.readdir(), ['y']);
    await rejects(directory.stat(at('symlink/x')), resolution === 'no-symlinks' ? 'ELOOP' : 'ENOTDIR');
    await rejects(directory.stat(at('n'.repeat(256))), 'ENAMETOOLONG');
    await rejects(directory.stat('n'.repeat(5000)), 'ENAMETOOLONG');
    await rejects(directory.stat(`${'n'.repeat(5000)}/x`), 'ENAMETOOLONG');
    await rejects(directory.stat(at('missing/x')), 'ENOENT');
    if (resolution !== 'no-symlinks') {
      assert.equal((await directory.statFollow(at('symlink'))).size, 11);
    }
    assert.ok((await directory.removeTree(chain.slice(0, 200))).entries > depthBeyondPathMax);
    assert.deepEqual(await directory.readdir(), ['link']);
  });
}

test('mkdir with recursive makes a chain longer than PATH_MAX', async (t) => {
  const { directory } = await scratch(t);
  assert.equal(await directory.mkdir(chain, { recursive: true }), chain.slice(0, 200));
  assert.equal((await directory.stat(chain)).kind, 'directory');
});

test('links on a long way are followed within the limit of forty', async (t) => {
  const { path, directory } = await scratch(t);
  await directory.mkdir('d');
  symlinkSync('.', join(path, 'd/here'));
  const beneath = await opened(t, path, { resolution: 'beneath' });
  const long = `d${'/.'.repeat(3000)}${'/here'.repeat(40)}`;
  assert.equal((await beneath.stat(`${long}/..x`).catch(() => beneath.statFollow(long))).kind, 'directory');
  await rejects(beneath.statFollow(`${long}/here`), 'ELOOP');
});
