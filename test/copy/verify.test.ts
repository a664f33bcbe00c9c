// verifyTree finds each kind of difference, and nothing where there is none.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyTree, diffTree, verifyTree } from 'dirfd';
import { run } from '../fixtures/command.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { isRoot, requireRoot, requireTool } from '../fixtures/tools.js';
import { deep, metadata, names, project } from '../fixtures/trees.js';

const moment = new Date('2020-02-02T02:02:02Z');

/** A tree with one of each, and its copy. */
async function twoTrees(t: TestContext): Promise<{ a: string; b: string }> {
  const base = temporaryDirectory(t);
  const [a, b] = [join(base, 'a'), join(base, 'b')];
  mkdirSync(join(a, 'directory'), { recursive: true });
  writeFileSync(join(a, 'directory', 'file'), 'content of a file');
  writeFileSync(join(a, 'big'), Buffer.alloc(1 << 20, 7));
  symlinkSync('directory', join(a, 'link'));
  run('mkfifo', [join(a, 'fifo')]);
  writeFileSync(join(a, 'one'), 'two names');
  linkSync(join(a, 'one'), join(a, 'two'));
  await copyTree(a, b);
  return { a, b };
}

async function found(a: string, b: string): Promise<string[]> {
  const { differences, errors } = await verifyTree(a, b);
  assert.deepEqual(errors, []);
  return differences.map(({ path, field, a, b }) => `${path || '.'}: ${field}: ${a ?? '-'} → ${b ?? '-'}`).sort();
}

test('a copy and its source are the same', async (t) => {
  const base = temporaryDirectory(t);
  const source = join(base, 'source');
  mkdirSync(source);
  for (const [name, make] of Object.entries({ metadata, names, project, deep })) {
    mkdirSync(join(source, name));
    make(join(source, name));
  }
  await copyTree(source, join(base, 'copy'), { onError: 'continue' });
  const report = await verifyTree(source, join(base, 'copy'));
  if (!isRoot()) return; // what an ordinary user cannot read, they cannot compare
  assert.deepEqual([report.differences, report.errors], [[], []]);
  assert.deepEqual([report.same, report.exitCode], [true, 0]);
  assert.ok(report.entries > 2000 && report.files > 1000);
});

const changes: Record<string, { change: (b: string) => void; finds: readonly (string | RegExp)[] }> = {
  'an entry that is missing': {
    change: (b) => rmSync(join(b, 'big')),
    finds: [/^\.: times/, 'big: missing: file → -'],
  },
  'an entry too many': {
    change: (b) => mkdirSync(join(b, 'new')),
    finds: [/^\.: times/, 'new: extra: - → directory'],
  },
  'another kind': {
    change: (b) => {
      rmSync(join(b, 'fifo'));
      writeFileSync(join(b, 'fifo'), '');
    },
    finds: [/^\.: times/, 'fifo: kind: fifo → file'],
  },
  'another mode': {
    change: (b) => {
      chmodSync(join(b, 'big'), 0o4600);
      chmodSync(join(b, 'directory'), 0o700);
    },
    finds: [/^big: mode: 0\d\d\d → 4600$/, /^directory: mode: 0\d\d\d → 0700$/],
  },
  'other times': {
    change: (b) => {
      for (const name of ['big', 'directory', 'fifo']) utimesSync(join(b, name), moment, moment);
      lutimesSync(join(b, 'link'), moment, moment);
    },
    finds: ['big', 'directory', 'fifo', 'link'].map(
      (name) => new RegExp(`^${name}: times: .*Z → 2020-02-02T02:02:02.000000000Z$`),
    ),
  },
  'another byte, with the times set back': {
    change: (b) => {
      const path = join(b, 'big');
      const fd = openSync(path, 'r+');
      writeSync(fd, 'x', 700_000);
      closeSync(fd);
      run('touch', ['-r', join(b, '..', 'a', 'big'), path]);
    },
    finds: ['big: content: from byte 700000 → from byte 700000'],
  },
  'another size': {
    change: (b) => {
      appendFileSync(join(b, 'directory', 'file'), '!');
      run('touch', ['-r', join(b, '..', 'a', 'directory', 'file'), join(b, 'directory', 'file')]);
    },
    finds: ['directory/file: size: 17 bytes → 18 bytes'],
  },
  'another target': {
    change: (b) => {
      rmSync(join(b, 'link'));
      symlinkSync('elsewhere', join(b, 'link'));
      run('touch', ['-h', '-r', join(b, '..', 'a', 'link'), join(b, 'link')]);
      run('touch', ['-r', join(b, '..', 'a'), b]);
    },
    finds: ['link: target: directory → elsewhere'],
  },
  'names that are no longer one file': {
    change: (b) => {
      const content = readFileSync(join(b, 'two'));
      rmSync(join(b, 'two'));
      writeFileSync(join(b, 'two'), content);
      run('touch', ['-r', join(b, '..', 'a', 'two'), join(b, 'two')]);
      run('touch', ['-r', join(b, '..', 'a'), b]);
    },
    finds: [/^(one|two): hard-links: the same file as '(one|two)' → a file of its own$/],
  },
  'a hole filled': {
    change: (b) => {
      const path = join(b, 'big');
      const original = join(b, '..', 'a', 'big');
      for (const each of [path, original]) {
        const fd = openSync(each, 'r+');
        ftruncateSync(fd, 0);
        if (each === original) ftruncateSync(fd, 1 << 20);
        else writeSync(fd, Buffer.alloc(1 << 20));
        closeSync(fd);
        utimesSync(each, moment, moment);
      }
    },
    finds: [/^big: holes: 0 bytes allocated → \d+ bytes allocated$/],
  },
};

for (const [what, { change, finds }] of Object.entries(changes)) {
  test(`it finds ${what}, and nothing else`, async (t) => {
    const { a, b } = await twoTrees(t);
    change(b);
    const differences = await found(a, b);
    assert.equal(differences.length, finds.length, differences.join('\n'));
    for (const [index, expected] of finds.entries()) {
      const difference = differences[index] as string;
      if (typeof expected === 'string') assert.equal(difference, expected);
      else assert.match(difference, expected);
    }
  });
}

test('it finds another owner, and an attribute that is missing, changed or new', async (t) => {
  if (!requireRoot(t) || !requireTool(t, 'setfattr')) return;
  const { a, b } = await twoTrees(t);
  run('chown', ['-h', '12345:54321', join(b, 'link')]);
  run('setfattr', ['-n', 'user.gone', '-v', 'x', join(a, 'big')]);
  run('setfattr', ['-n', 'user.changed', '-v', 'x', join(a, 'big')]);
  run('setfattr', ['-n', 'user.changed', '-v', 'y', join(b, 'big')]);
  run('setfattr', ['-n', 'user.new', '-v', '0x00', join(b, 'directory')]);
  assert.deepEqual(await found(a, b), [
    'big: xattr: "x" → "y"',
    'big: xattr: "x" → -',
    'directory: xattr: - → 0x00',
    'link: owner: 0:0 → 12345:54321',
  ]);
});

test('diffTree reads no byte where size and time are the same', async (t) => {
  const { a, b } = await twoTrees(t);
  const fd = openSync(join(b, 'big'), 'r+');
  writeSync(fd, 'x', 5);
  closeSync(fd);
  run('touch', ['-r', join(a, 'big'), join(b, 'big')]);
  const quick = await diffTree(a, b);
  assert.deepEqual([quick.same, quick.bytes], [true, 0]);
  utimesSync(join(b, 'big'), moment, moment);
  const { differences } = await diffTree(a, b);
  assert.deepEqual(differences.map(({ field }) => field).sort(), ['content', 'times']);
});

test('differences are told as they are found, and a missing root is an error', async (t) => {
  const { a, b } = await twoTrees(t);
  chmodSync(join(b, 'big'), 0o600);
  const fields: string[] = [];
  for await (const event of verifyTree(a, b)) fields.push(event.type === 'difference' ? event.field : event.type);
  assert.deepEqual(fields, ['mode']);
  await assert.rejects(async () => await verifyTree(a, join(b, 'absent')), { code: 'ENOENT' });
  const controller = new AbortController();
  controller.abort(new Error('enough'));
  await assert.rejects(async () => await verifyTree(a, b, { signal: controller.signal }), /enough/);
});
