// Files replaced whole: every form of content, what may be in the way, what is refused, and what is left behind: nothing.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import {
  AtomicWriteError,
  AtomicWriter,
  ConflictError,
  ContentError,
  cleanupBackups,
  FileSizeError,
  PathError,
  writeBytes,
  writeFileAtomic,
  writeJson,
  writeText,
  writeYaml,
} from 'dirfd/atomic';
import { opened, rejects, scratch } from '../dirfd/scratch.js';
import { attempt } from '../fixtures/command.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

describe('one call', () => {
  test('writes text, JSON, YAML and bytes, whole files, by a path or below a directory', async (t) => {
    const { path, directory } = await scratch(t);
    mkdirSync(join(path, 'a/b'), { recursive: true });
    const first = await writeText(join(path, 'text'), 'grüße\n');
    assert.deepEqual([first.bytes, first.replaced, first.notKept], [8, false, []]);
    assert.equal((await writeText({ directory, path: 'text' }, 'other')).replaced, true);
    await writeJson({ directory, path: 'a/b/json' }, { x: [1, 'é'] });
    await writeYaml(join(path, 'yaml'), { x: [1, 'é'] });
    const result = await writeBytes({ directory, path: Buffer.from([0x62, 0xff]) }, Buffer.from([0, 255]));
    await writeFileAtomic(directory, 'empty', '');
    assert.equal(readFileSync(join(path, 'text'), 'utf8'), 'other');
    assert.equal(readFileSync(join(path, 'a/b/json'), 'utf8'), '{\n  "x": [\n    1,\n    "é"\n  ]\n}\n');
    assert.equal(readFileSync(join(path, 'yaml'), 'utf8'), 'x:\n  - 1\n  - é\n');
    const odd = Buffer.concat([Buffer.from(`${path}/b`), Buffer.from([0xff])]);
    assert.deepEqual(readFileSync(odd), Buffer.from([0, 255]));
    assert.equal(result.stat.ino, BigInt(statSync(odd).ino));
    assert.equal(readdirSync(path).length, 5);
  });

  test('a new file has the mode that any new file has, a given mode is exact', async (t) => {
    const path = temporaryDirectory(t);
    writeFileSync(join(path, 'ordinary'), '');
    for (const durability of ['none', 'full'] as const) {
      await writeText(join(path, `new-${durability}`), '', { durability });
      await writeText(join(path, `given-${durability}`), '', { durability, mode: '666' });
      assert.equal(statSync(join(path, `new-${durability}`)).mode, statSync(join(path, 'ordinary')).mode);
      assert.equal(statSync(join(path, `given-${durability}`)).mode & 0o777, 0o666);
    }
  });

  test('with createOnly an existing file, link or directory stays, and EEXIST says so', async (t) => {
    const { path, directory } = await scratch(t);
    writeFileSync(join(path, 'file'), 'old');
    symlinkSync('nowhere', join(path, 'link'));
    mkdirSync(join(path, 'directory'));
    for (const name of ['file', 'link', 'directory']) {
      const error = await rejects(writeFileAtomic(directory, name, 'new', { createOnly: true }), 'EEXIST');
      assert.ok(error instanceof AtomicWriteError && error.cause instanceof Error);
    }
    const tries = Array.from({ length: 20 }, (_, index) =>
      writeFileAtomic(directory, 'fresh', String(index), { createOnly: true }).then(
        () => 'made',
        ({ code }) => code,
      ),
    );
    assert.deepEqual((await Promise.all(tries)).sort(), [...Array(19).fill('EEXIST'), 'made']);
    assert.deepEqual(readdirSync(path).sort(), ['directory', 'file', 'fresh', 'link']);
    assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'old');
  });

  test('a symlink, directory, FIFO or further name in the way is refused, or treated as the options say', async (t) => {
    const { path, directory } = await scratch(t);
    const outside = join(temporaryDirectory(t), 'victim');
    writeFileSync(outside, 'untouched');
    writeFileSync(join(path, 'inside'), 'old');
    symlinkSync(outside, join(path, 'out'));
    symlinkSync('inside', join(path, 'in'));
    mkdirSync(join(path, 'directory'));
    execFileSync('mkfifo', [join(path, 'fifo')]);
    const refused = async (name: string, code: string, options = {}) => {
      const error = await rejects(writeFileAtomic(directory, name, 'new', options), code);
      assert.ok(error instanceof PathError, error.name);
    };
    await refused('out', 'ELOOP');
    await refused('in', 'ELOOP');
    await refused('directory', 'EISDIR');
    await refused('fifo', 'ERR_DIRFD_NOT_REGULAR');
    await rejects(writeFileAtomic(directory, 'out', 'new', { symlinks: 'follow-beneath' }), 'ERR_DIRFD_PATH_ESCAPE');
    await rejects(writeFileAtomic(directory, '../x', 'new'), 'ERR_DIRFD_PATH_ESCAPE');
    await writeFileAtomic(directory, 'in', 'followed', { symlinks: 'follow-beneath' });
    assert.equal(readFileSync(join(path, 'inside'), 'utf8'), 'followed');
    assert.ok(lstatSync(join(path, 'in')).isSymbolicLink());
    await writeFileAtomic(directory, 'out', 'replaced', { symlinks: 'replace' });
    assert.ok(lstatSync(join(path, 'out')).isFile());
    assert.equal(readFileSync(outside, 'utf8'), 'untouched');

    linkSync(join(path, 'inside'), join(path, 'second'));
    await refused('inside', 'EMLINK', { hardLinks: 'refuse' });
    await writeFileAtomic(directory, 'inside', 'broken');
    assert.equal(readFileSync(join(path, 'second'), 'utf8'), 'followed');
    assert.deepEqual(readdirSync(path).sort(), ['directory', 'fifo', 'in', 'inside', 'out', 'second']);
  });

  test('the backup that a failed write has left is no further name to be refused', async (t) => {
    const { path, directory } = await scratch(t);
    for (const durability of ['none', 'full'] as const) {
      writeFileSync(join(path, 'file'), 'old');
      // As after a write that failed at its rename, or was killed before it.
      linkSync(join(path, 'file'), join(path, 'file.bak'));
      const how = { backup: '{name}.bak', hardLinks: 'refuse', durability } as const;
      const { backup, replaced } = await writeFileAtomic(directory, 'file', 'new', how);
      assert.deepEqual([backup, replaced], ['file.bak', true]);
      assert.deepEqual(
        ['file', 'file.bak'].map((name) => [readFileSync(join(path, name), 'utf8'), statSync(join(path, name)).nlink]),
        [
          ['new', 1],
          ['old', 1],
        ],
      );
      for (const other of ['file', 'file.bak']) {
        linkSync(join(path, 'file'), join(path, 'other'));
        // Neither another name, nor the file itself in another spelling, is a backup.
        await rejects(writeFileAtomic(directory, 'file', '', { ...how, backup: `./${other}` }), 'EMLINK');
        unlinkSync(join(path, 'other'));
      }
      assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'new');
      for (const name of ['file', 'file.bak']) unlinkSync(join(path, name));
    }
  });

  test('concurrent writers of one file and of many leave whole files and nothing else', async (t) => {
    const { path, directory } = await scratch(t);
    const content = (index: number) => String(index).repeat(5000);
    for (const durability of ['none', 'data', 'full'] as const) {
      await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          writeFileAtomic(directory, `file-${index % 7}`, content(index), { durability }),
        ),
      );
    }
    const names = readdirSync(path);
    assert.equal(names.length, 7);
    for (const name of names) {
      const text = readFileSync(join(path, name), 'utf8');
      assert.ok(Array.from({ length: 60 }, (_, index) => content(index)).includes(text));
    }
  });

  test('values that are no options are refused with a name', async (t) => {
    const { path, directory } = await scratch(t);
    const wrong: object[] = [
      { durability: 'hard' },
      { mode: 0o10000 },
      { keepMetadata: 'yes' },
      { symlinks: 'follow' },
      { hardLinks: 1 },
      { maxSize: -1 },
      { backup: 3 },
      { ifUnchanged: { sha256: 'x' } },
      { retry: 0 },
      { signal: {} },
      { createOnly: 'yes' },
    ];
    for (const options of wrong) {
      const error = await rejects(writeFileAtomic(directory, 'x', '', options), 'ERR_DIRFD_INVALID_ARGUMENT');
      assert.match(error.message, new RegExp(Object.keys(options)[0]!.replace('ifUnchanged', 'ifUnchanged')));
    }
    await rejects(writeFileAtomic(directory, 'x', 3 as never), 'ERR_DIRFD_INVALID_ARGUMENT');
    await rejects(writeText(`${path}/`, ''), 'ERR_DIRFD_INVALID_PATH');
    await rejects(writeText(3 as never, ''), 'ERR_DIRFD_INVALID_ARGUMENT');
    assert.deepEqual(readdirSync(path), []);
  });
});

describe('AtomicWriter', () => {
  test('changes nothing before commit, nothing without it, and nothing after an exception', async (t) => {
    const path = temporaryDirectory(t);
    const file = join(path, 'file');
    writeFileSync(file, 'old');
    {
      await using writer = await AtomicWriter.open(file, { backup: true });
      await writer.writeBytes(Buffer.alloc(3_000_000, 'x'));
      assert.deepEqual(
        readdirSync(path).filter((name) => !/^\.dirfd-write-[0-9a-f]{32}$/.test(name)),
        ['file'],
      );
    }
    await assert.rejects(async () => {
      await using writer = new AtomicWriter(file);
      await writer.writeText('half');
      throw new Error('no');
    });
    assert.deepEqual(readdirSync(path), ['file']);
    assert.equal(readFileSync(file, 'utf8'), 'old');
    const writer = new AtomicWriter(file);
    await writer.discard();
    await rejects(writer.writeText('late'), 'ERR_DIRFD_CLOSED');
    await rejects(writer.commit(), 'ERR_DIRFD_CLOSED');
  });

  test('what is written adds up in the order of the calls, small or large, and is read back with verify', async (t) => {
    const { path, directory } = await scratch(t);
    for (const piece of [10, 700_000]) {
      await using writer = new AtomicWriter({ directory, path: 'file' }, { verifyIntegrity: true });
      const parts = [Buffer.alloc(piece, 'a'), Buffer.alloc(piece, 'b'), Buffer.alloc(piece, 'c')];
      const calls = [writer.writeBytes(parts[0]!), writer.writeText(parts[1]!.toString())];
      await Promise.all([...calls, writer.writeStream(Readable.from([parts[2]!]))]);
      const result = await writer.commit();
      assert.equal(writer.committed, true);
      assert.equal(result.sha256, sha256(Buffer.concat(parts)));
      assert.equal(sha256(readFileSync(join(path, 'file'))), result.sha256);
    }
    assert.deepEqual(readdirSync(path), ['file']);
  });

  test('more than maxSize is refused before it is written, and the writer is of no more use', async (t) => {
    const { path, directory } = await scratch(t);
    async function* endless() {
      for (;;) yield Buffer.alloc(400_000);
    }
    const writer = new AtomicWriter({ directory, path: 'file' }, { maxSize: 2_000_000 });
    const error = await rejects(writer.writeStream(endless()), 'ERR_DIRFD_TOO_LARGE');
    assert.ok(error instanceof FileSizeError && error.limit === 2_000_000);
    await rejects(writer.commit(), 'ERR_DIRFD_CLOSED');
    assert.deepEqual(readdirSync(path), []);
  });

  test('a backup is made by a link, by a copy where the file has other names, under the name that was asked for', async (t) => {
    const { path, directory } = await scratch(t);
    mkdirSync(join(path, 'kept'));
    writeFileSync(join(path, 'file'), 'first', { mode: 0o640 });
    const before = statSync(join(path, 'file'));
    const timed = await writeFileAtomic(directory, 'file', 'second', { backup: true });
    assert.match(timed.backup!, /^file\.\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{4}\.bak$/);
    assert.equal(statSync(join(path, timed.backup!)).ino, before.ino);
    linkSync(join(path, 'file'), join(path, 'other'));
    const isLabelled = attempt('setfattr', ['-n', 'user.colour', '-v', 'blue', join(path, 'file')]).status === 0;
    for (const content of ['third', 'fourth']) {
      const named = await writeFileAtomic(directory, 'file', content, { backup: 'kept/{name}.old' });
      assert.equal(named.backup, 'kept/file.old');
    }
    assert.equal(readFileSync(join(path, 'kept/file.old'), 'utf8'), 'third');
    assert.equal(statSync(join(path, 'kept/file.old')).mode & 0o777, 0o640);
    if (isLabelled) assert.deepEqual(await directory.listxattr('kept/file.old'), ['user.colour']);
    assert.equal(readFileSync(join(path, 'other'), 'utf8'), 'second');
    assert.equal((await writeFileAtomic(directory, 'new', '', { backup: true })).backup, undefined);
    await rejects(writeFileAtomic(directory, 'file', '', { backup: '../x' }), 'ERR_DIRFD_PATH_ESCAPE');
    await rejects(writeFileAtomic(directory, 'file', '', { backup: '{name}' }), 'ERR_DIRFD_INVALID_ARGUMENT');
    assert.deepEqual(await cleanupBackups(directory), []);
    assert.deepEqual(await cleanupBackups(path, 0), [timed.backup]);
    assert.deepEqual(readdirSync(path).sort(), ['file', 'kept', 'new', 'other']);
  });

  test('of writers who race for one file, the losers leave the winner its backup, and nothing of their own', async (t) => {
    const { path, directory } = await scratch(t);
    const file = join(path, 'file');
    for (const backup of ['{name}.bak', '{name}.{time}.bak']) {
      for (let round = 0; round < 40; round++) {
        writeFileSync(file, `round ${round}`);
        const ifUnchanged = await directory.stat('file');
        const how = { backup, ifUnchanged, durability: 'none', hardLinks: 'break' } as const;
        const outcomes = await Promise.allSettled(
          [0, 1, 2, 3].map((writer) => writeText({ directory, path: 'file' }, `${writer}`, how)),
        );
        const kept = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.backup!] : []));
        assert.ok(kept.length > 0);
        for (const name of kept) assert.equal(readFileSync(join(path, name), 'utf8'), `round ${round}`);
        assert.ok(!readdirSync(path).some((name) => name.startsWith('.dirfd')));
        for (const name of new Set(kept)) unlinkSync(join(path, name));
      }
    }
  });

  test('a schema names the JSON pointer of what is wrong, formats included, before anything is written', async (t) => {
    const { path, directory } = await scratch(t);
    const schema = {
      type: 'object',
      properties: { mail: { type: 'string', format: 'email' }, ports: { type: 'array', items: { type: 'integer' } } },
      required: ['mail'],
    };
    const target = { directory, path: 'file' };
    for (const [data, pointer] of [
      [{ mail: 'a@b.example', ports: [1, 'x'] }, '/ports/1'],
      [{ mail: 'nobody' }, '/mail'],
      [{}, ''],
    ] as const) {
      const error = await rejects(writeJson(target, data, { schema }), 'ERR_DIRFD_INVALID_CONTENT');
      assert.ok(error instanceof ContentError && error.pointer === pointer, error.message);
      await rejects(writeYaml(target, data, { schema }), 'ERR_DIRFD_INVALID_CONTENT');
    }
    const newer = { ...schema, $schema: 'https://json-schema.org/draft/2020-12/schema' };
    await rejects(writeJson(target, {}, { schema: newer }), 'ERR_DIRFD_INVALID_CONTENT');
    await rejects(writeJson(target, {}, { schema: { type: 'nonsense' } }), 'ERR_DIRFD_INVALID_ARGUMENT');
    assert.deepEqual(readdirSync(path), []);
    await writeJson(target, { mail: 'a@b.example' }, { schema: newer, indent: 0 });
    assert.equal(readFileSync(join(path, 'file'), 'utf8'), '{"mail":"a@b.example"}\n');
  });

  test('what an encoding or JSON cannot express is an error, never another character', async (t) => {
    const { path, directory } = await scratch(t);
    const target = { directory, path: 'file' };
    const wrong = async (content: string, encoding: 'utf-8' | 'latin1' | 'ascii') =>
      assert.ok(
        (await rejects(writeText(target, content, { encoding }), 'ERR_DIRFD_INVALID_CONTENT')) instanceof ContentError,
      );
    await wrong('a\ud800b', 'utf-8');
    await wrong('€', 'latin1');
    await wrong('é', 'ascii');
    await rejects(writeText(target, '', { encoding: 'koi8' as never }), 'ERR_DIRFD_INVALID_ARGUMENT');
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    for (const data of [circular, 1n, undefined, () => 1]) {
      await rejects(writeJson(target, data), 'ERR_DIRFD_INVALID_CONTENT');
    }
    assert.deepEqual(readdirSync(path), []);
    await writeText(target, 'é€', { encoding: 'utf-16le' });
    assert.deepEqual(readFileSync(join(path, 'file')), Buffer.from('é€', 'utf16le'));
  });

  test('ifUnchanged replaces the file that was seen, and no other', async (t) => {
    const { path, directory } = await scratch(t);
    const file = join(path, 'file');
    writeFileSync(file, 'first');
    const seen = await directory.stat('file');
    const { stat } = await writeFileAtomic(directory, 'file', 'second', { ifUnchanged: seen });
    const stale = await rejects(writeFileAtomic(directory, 'file', 'x', { ifUnchanged: seen }), 'ERR_DIRFD_CONFLICT');
    assert.ok(stale instanceof ConflictError);
    await writeFileAtomic(directory, 'file', 'third', { ifUnchanged: stat, backup: true });
    await writeFileAtomic(directory, 'file', 'fourth', { ifUnchanged: { sha256: sha256('third') } });
    const wrong = { sha256: sha256('third') };
    await rejects(writeFileAtomic(directory, 'file', 'x', { ifUnchanged: wrong }), 'ERR_DIRFD_CONFLICT');
    await rejects(writeFileAtomic(directory, 'gone', 'x', { ifUnchanged: wrong }), 'ERR_DIRFD_CONFLICT');
    assert.equal(readFileSync(file, 'utf8'), 'fourth');
    assert.equal(readdirSync(path).length, 2);
  });

  test('an abort before the commit changes nothing, progress is told, a closed directory is refused', async (t) => {
    const { path, directory } = await scratch(t);
    const told: number[] = [];
    const controller = new AbortController();
    const writer = new AtomicWriter(
      { directory, path: 'file' },
      { signal: controller.signal, progress: ({ bytes }) => told.push(bytes) },
    );
    await writer.writeBytes(Buffer.alloc(2_500_000));
    assert.deepEqual(told, [1048576, 2097152, 2500000]);
    controller.abort(new Error('enough'));
    await assert.rejects(writer.commit(), /enough/);
    assert.deepEqual(readdirSync(path), []);
    const closed = await opened(t, path);
    await closed.close();
    await rejects(writeFileAtomic(closed, 'file', ''), 'ERR_DIRFD_CLOSED');
  });
});
