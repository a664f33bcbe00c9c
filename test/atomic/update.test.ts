// updateJson: no change is lost, whoever changes the file at the same time; mergeConfig, rotate, chunks and the faces over them.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { DirectoryFd } from 'dirfd';
import {
  AtomicFileOperations,
  AtomicWriter,
  ConflictError,
  type ContentError,
  checkContent,
  FileSizeError,
  getGlobalAuditTrail,
  LockTimeoutError,
  mergeConfig,
  readChunks,
  rotate,
  safeFileRotation,
  setGlobalAuditTrail,
  updateJson,
  writeChunks,
  writeConfigAtomically,
} from 'dirfd/atomic';
import { verifyAuditTrail } from 'dirfd/audit';
import { rejects, scratch } from '../dirfd/scratch.js';
import { mounted } from '../fixtures/mounts.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

const atomic = new URL('dist/atomic/main.js', `file://${repositoryRoot}/`).href;
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

describe('updateJson', () => {
  test('the timeout is one for all the files that come under the name while it waits', async (t) => {
    const { path, directory } = await scratch(t);
    const make = async (name: string) => {
      const file = await directory.openFile(name, { flags: 'wx+' });
      await file.lock();
      return file;
    };
    let locked = await make('file.json');
    let isOver = false;
    const update = updateJson({ directory, path: 'file.json' }, () => ({}), { timeout: 100 }).finally(() => {
      isOver = true;
    });
    const refused = rejects(update, 'ERR_DIRFD_LOCK_TIMEOUT');
    for (let round = 0; round < 100 && !isOver; round++) {
      await sleep(30);
      const next = await make('next');
      renameSync(join(path, 'next'), join(path, 'file.json'));
      await locked.close();
      locked = next;
    }
    await refused;
    await locked.close();
  });

  test('four processes with five writers each lose no increment, the file not being there at first', async (t) => {
    const path = temporaryDirectory(t);
    const script = `
      import { updateJson } from '${atomic}';
      const add = () => updateJson('counter.json', (data = { n: 0 }) => ({ n: data.n + 1 }), { durability: 'none' });
      await Promise.all(Array.from({ length: 5 }, async () => { for (let i = 0; i < 10; i++) await add(); }));`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], {
        cwd: path,
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    );
    for (const [code] of await Promise.all(children.map((child) => once(child, 'exit')))) assert.equal(code, 0);
    assert.deepEqual(json(join(path, 'counter.json')), { n: 200 });
    assert.deepEqual(readdirSync(path), ['counter.json']);
  });

  test('a file that comes into being meanwhile is locked before it is read', async (t) => {
    const { path, directory } = await scratch(t);
    const file = join(path, 'file.json');
    const { openFile } = DirectoryFd.prototype;
    const stub = t.mock.method(DirectoryFd.prototype, 'openFile', async function (this: DirectoryFd, ...args) {
      stub.mock.restore();
      const opened = openFile.apply(this, args as Parameters<typeof openFile>);
      await assert.rejects(opened, { code: 'ENOENT' });
      writeFileSync(file, '{"n":1}');
      return opened;
    } as typeof openFile);
    const seen: (number | undefined)[] = [];
    await updateJson<{ n: number }>({ directory, path: 'file.json' }, async (data) => {
      seen.push(data?.n);
      if (data) {
        await using other = await directory.openFile('file.json', 'r+');
        await rejects(other.lock({ timeout: 0 }), 'ERR_DIRFD_LOCK_TIMEOUT');
      }
      return { n: (data?.n ?? 0) + 1 };
    });
    assert.deepEqual([seen, json(file)], [[undefined, 1], { n: 2 }]);
  });

  test('somebody who takes no lock is noticed: the function gets their data, or the conflict is told', async (t) => {
    const { path, directory } = await scratch(t);
    const file = join(path, 'file.json');
    const outsider = (data: object) => {
      writeFileSync(`${file}.new`, JSON.stringify(data));
      renameSync(`${file}.new`, file);
    };
    outsider({ n: 1 });
    let calls = 0;
    const target = { directory, path: 'file.json' };
    await updateJson<{ n: number; ours?: number }>(target, (data) => {
      if (calls++ === 0) outsider({ n: 5 });
      data!.ours = calls; // in place: nothing has to be returned
      return undefined;
    });
    assert.deepEqual(json(file), { n: 5, ours: 2 });
    const always = updateJson<{ n: number }>(
      target,
      (data) => {
        outsider({ n: data!.n + 1 });
        return { n: -1 };
      },
      { conflicts: 3 },
    );
    assert.ok((await rejects(always, 'ERR_DIRFD_CONFLICT')) instanceof ConflictError);
    assert.deepEqual(json(file), { n: 8 });
  });

  test('what fails leaves the file: a function that throws, a lock that is not free, content that is no JSON', async (t) => {
    const { path, directory } = await scratch(t);
    const target = { directory, path: 'file.json' };
    writeFileSync(join(path, 'file.json'), '{"n":1}');
    await assert.rejects(
      updateJson(target, () => {
        throw new Error('no');
      }),
      /^Error: no$/,
    );
    const holder = await directory.openFile('file.json', 'r+');
    t.after(() => holder.close());
    await holder.lock();
    const late = await rejects(
      updateJson(target, () => ({}), { timeout: 30 }),
      'ERR_DIRFD_LOCK_TIMEOUT',
    );
    assert.ok(late instanceof LockTimeoutError);
    assert.match(late.message, /file\.json/);
    await holder.close();
    assert.equal(readFileSync(join(path, 'file.json'), 'utf8'), '{"n":1}');
    writeFileSync(join(path, 'file.json'), Buffer.from([0x7b, 0xff]));
    const error = await rejects(
      updateJson(target, () => ({})),
      'ERR_DIRFD_INVALID_CONTENT',
    );
    assert.match(error.message, /not utf-8: byte 1 /);
    symlinkSync('file.json', join(path, 'link.json'));
    await rejects(
      updateJson({ directory, path: 'link.json' }, () => ({})),
      'ELOOP',
    );
  });

  test('an edit in place is noticed also where the clock of the file system stood still meanwhile', async (t) => {
    const path = mounted(t, 'ramfs');
    if (path === undefined) return;
    const file = join(path, 'file.json');
    for (let round = 0; round < 20; round++) {
      writeFileSync(file, '{"n":1}');
      let calls = 0;
      await updateJson<{ n: number }>(file, (data) => {
        if (calls++ === 0) writeFileSync(file, '{"n":5}');
        return { n: data!.n + 1 };
      });
      assert.deepEqual([calls, json(file)], [2, { n: 6 }]);
    }
  });

  test('null is data: it is written, and not what was there', async (t) => {
    const { path, directory } = await scratch(t);
    writeFileSync(join(path, 'file.json'), '{"n":1}');
    await updateJson({ directory, path: 'file.json' }, () => null);
    assert.equal(json(join(path, 'file.json')), null);
  });

  test('a name that ends in .yaml is YAML, and directories may lie in between', async (t) => {
    const { path, directory } = await scratch(t);
    mkdirSync(join(path, 'a/b'), { recursive: true });
    await updateJson({ directory, path: 'a/b/file.yaml' }, () => ({ on: [1] }));
    await updateJson<{ on: number[] }>(join(path, 'a/b/file.yaml'), (data) => ({ on: [...data!.on, 2] }));
    assert.equal(readFileSync(join(path, 'a/b/file.yaml'), 'utf8'), 'on:\n  - 1\n  - 2\n');
  });
});

describe('mergeConfig', () => {
  test('merges JSON and YAML deep, shallow or by replacement', async (t) => {
    const path = temporaryDirectory(t);
    const files = ['a.json', 'b.yaml'].map((name) => join(path, name));
    writeFileSync(files[0]!, '{"server":{"host":"a","ports":[1]},"keep":1,"constructor":{"x":1}}');
    writeFileSync(files[1]!, 'server:\n  host: b\n  ports: [2]\nextra: true\nconstructor:\n  y: 2\n');
    const merged = async (options = {}, name = 'out.json') => {
      await mergeConfig(files, join(path, name), options);
      return name.endsWith('json') ? json(join(path, name)) : readFileSync(join(path, name), 'utf8');
    };
    const common = { keep: 1, extra: true };
    const deep = { ...common, server: { host: 'b', ports: [2] }, constructor: { x: 1, y: 2 } };
    assert.deepEqual(await merged(), deep);
    assert.deepEqual((await merged({ arrays: 'concat' })).server.ports, [1, 2]);
    assert.deepEqual((await merged({ strategy: 'shallow' })).constructor, { y: 2 });
    assert.deepEqual(Object.keys(await merged({ strategy: 'replace' })), ['server', 'extra', 'constructor']);
    assert.match(await merged({}, 'out.yml'), /^server:\n {2}host: b\n/);
    await mergeConfig(files, files[0]!);
    assert.deepEqual(json(files[0]!), deep);
  });

  test('pollutes no prototype, and says where somebody tries', async (t) => {
    const path = temporaryDirectory(t);
    writeFileSync(join(path, 'good.json'), '{"a":{"b":1}}');
    const evil = ['{"a":{"__proto__":{"polluted":1}}}', '{"__proto__":{"polluted":1}}'];
    for (const [index, text] of evil.entries()) {
      for (const name of ['evil.json', 'evil.yaml']) {
        writeFileSync(join(path, name), text);
        for (const strategy of ['deep', 'shallow', 'replace'] as const) {
          const merge = mergeConfig([join(path, 'good.json'), join(path, name)], join(path, 'out.json'), { strategy });
          const error = await rejects(merge, 'ERR_DIRFD_INVALID_CONTENT');
          assert.equal((error as ContentError).pointer, index === 0 ? '/a/__proto__' : '/__proto__');
        }
      }
    }
    writeFileSync(join(path, 'evil.json'), '{"constructor":{"prototype":{"polluted":1}}}');
    await mergeConfig([join(path, 'good.json'), join(path, 'evil.json')], join(path, 'out.json'));
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
    assert.deepEqual(json(join(path, 'out.json')).constructor, { prototype: { polluted: 1 } });
    await rejects(mergeConfig([join(path, 'missing.json')], join(path, 'x.json')), 'ENOENT');
    writeFileSync(join(path, 'list.json'), '[1]');
    await rejects(mergeConfig([join(path, 'list.json')], join(path, 'x.json')), 'ERR_DIRFD_INVALID_CONTENT');
    assert.equal(readdirSync(path).includes('x.json'), false);
  });
});

describe('rotate', () => {
  test('shifts up to the first gap, keeps as many as it should, and compresses', async (t) => {
    const { path, directory } = await scratch(t);
    const file = join(path, 'log');
    const turn = async (content: string, options = {}) => {
      writeFileSync(file, content);
      chmodSync(file, 0o640);
      return rotate({ directory, path: 'log' }, { maxFiles: 3, ...options });
    };
    for (const content of ['a', 'b', 'c']) await turn(content);
    assert.deepEqual(readdirSync(path), ['log.1', 'log.2', 'log.3']);
    assert.deepEqual((await turn('d')).removed, ['log.3']);
    const contents = () => readdirSync(path).map((name) => readFileSync(join(path, name), 'utf8'));
    assert.deepEqual(contents(), ['d', 'c', 'b']);
    await directory.unlink('log.2');
    assert.deepEqual((await turn('e')).removed, []);
    assert.deepEqual(contents(), ['e', 'd', 'b']);
    await turn('f', { compress: true });
    assert.deepEqual(readdirSync(path), ['log.1.gz', 'log.2', 'log.3']);
    assert.equal(gunzipSync(readFileSync(join(path, 'log.1.gz'))).toString(), 'f');
    assert.equal(statSync(join(path, 'log.1.gz')).mode & 0o777, 0o640);
    await turn('g', { compress: true });
    assert.deepEqual(readdirSync(path), ['log.1.gz', 'log.2.gz', 'log.3']);
    assert.deepEqual(await rotate({ directory, path: 'log' }), { rotated: false, removed: [] });
    await rejects(rotate({ directory, path: 'log' }, { maxFiles: 0 }), 'ERR_DIRFD_INVALID_ARGUMENT');
  });

  test('leaves what it cannot have made: numbers after a gap, directories', async (t) => {
    const { path } = await scratch(t);
    mkdirSync(join(path, 'report.2'));
    for (const name of ['report', 'report.1', 'report.3', 'report.2024']) writeFileSync(join(path, name), name);
    const { removed } = await rotate(join(path, 'report'), { maxFiles: 2 });
    assert.deepEqual(removed, ['report.3']);
    assert.deepEqual(readdirSync(path).sort(), ['report.1', 'report.2', 'report.2024', 'report.3']);
    assert.equal(readFileSync(join(path, 'report.3'), 'utf8'), 'report.1');
  });

  test('what is written to while it is compressed keeps every line', async (t) => {
    const { path } = await scratch(t);
    const file = join(path, 'log');
    writeFileSync(file, 'early');
    const log = openSync(file, 'a');
    t.after(() => closeSync(log));
    const { commit } = AtomicWriter.prototype;
    t.mock.method(AtomicWriter.prototype, 'commit', function (this: AtomicWriter) {
      writeSync(log, ', late');
      return commit.call(this);
    });
    await rotate(file, { compress: true });
    assert.deepEqual(readdirSync(path), ['log.1']);
    assert.equal(readFileSync(`${file}.1`, 'utf8'), 'early, late');
  });

  test('those who rotate at a time take turns, also with who compresses still', async (t) => {
    const { path } = await scratch(t);
    const file = join(path, 'log');
    writeFileSync(file, randomBytes(1024 * 1024));
    const first = rotate(file, { compress: true });
    while (!existsSync(`${file}.1`)) await sleep(1);
    writeFileSync(file, 'second');
    const others = await Promise.all([1, 2, 3].map(() => rotate(file)));
    await first;
    assert.deepEqual(others.map(({ rotated }) => rotated).sort(), [false, false, true]);
    assert.deepEqual(readdirSync(path), ['log.1', 'log.2.gz']);
    assert.equal(readFileSync(`${file}.1`, 'utf8'), 'second');
  });
});

describe('chunks', () => {
  test('are read in the size asked for and written back as one file, within a limit', async (t) => {
    const path = temporaryDirectory(t);
    const content = Buffer.from('0123456789'.repeat(2000));
    writeFileSync(join(path, 'from'), content);
    const sizes: number[] = [];
    async function* counted() {
      for await (const chunk of readChunks(join(path, 'from'))) {
        sizes.push(chunk.length);
        yield chunk;
      }
    }
    const { bytes } = await writeChunks(join(path, 'to'), counted(), { maxFileSize: 20_000 });
    assert.deepEqual([bytes, sizes], [20_000, [8192, 8192, 3616]]);
    assert.deepEqual(readFileSync(join(path, 'to')), content);
    const large = rejects(readChunks(join(path, 'from'), { maxFileSize: 19_999 }).next(), 'ERR_DIRFD_TOO_LARGE');
    assert.ok((await large) instanceof FileSizeError);
    const refused = writeChunks(join(path, 'to'), [content], { maxFileSize: 5 });
    await rejects(refused, 'ERR_DIRFD_TOO_LARGE');
    assert.deepEqual(readFileSync(join(path, 'to')), content);
    symlinkSync('from', join(path, 'link'));
    await rejects(readChunks(join(path, 'link')).next(), 'ELOOP');
    for await (const _ of readChunks(join(path, 'from'), { chunkSize: 10 })) break;
  });
});

describe('AtomicFileOperations', () => {
  test('does what the functions do, and keeps a record of each, also of failures and of batches', async (t) => {
    const path = temporaryDirectory(t);
    const trail = join(path, 'audit.jsonl');
    const operations = new AtomicFileOperations(trail);
    const file = join(path, 'a.json');
    await operations.atomicJsonUpdate(file, () => ({ a: 1 }));
    {
      await using batch = operations.batchOperation('deploy');
      await batch.atomicConfigMerge([file], join(path, 'b.json'));
      await assert.rejects(batch.atomicJsonUpdate(join(path, 'missing/c.json'), () => ({})));
    }
    await operations.cleanupBackups(path, 1);
    const lines = readFileSync(trail, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ operation, outcome, batch }) => [operation, outcome, batch]),
      [
        ['write', 'done', undefined],
        ['write', 'done', 'deploy'],
        ['batch', 'done', 'deploy'],
        ['cleanup-backups', 'done', undefined],
      ],
    );
    assert.equal(statSync(trail).mode & 0o777, 0o600);
    const { intact, records } = await verifyAuditTrail(path, 'audit.jsonl');
    assert.deepEqual([intact, records], [true, 4], 'an AuditTrail as any other');
    const [, , write] = operations.auditSummary();
    assert.deepEqual([write!.operation, write!.done, write!.failed], ['write', 2, 0]);
    const shown = t.mock.method(process.stdout, 'write', () => true);
    operations.displayAuditSummary();
    const [table] = shown.mock.calls.map(({ arguments: [text] }) => String(text));
    shown.mock.restore();
    assert.match(table!, /^operation .*\nbatch .*\ncleanup-backups .*\nwrite +2 +0 /);
  });

  test('many records at a time, by two objects with one path, are one chain; what is no trail is refused', async (t) => {
    const path = temporaryDirectory(t);
    const both = [1, 2].map(() => new AtomicFileOperations(join(path, 'trail')));
    await Promise.all(
      both.flatMap((operations, one) =>
        Array.from({ length: 20 }, (_, i) => operations.atomicJsonUpdate(join(path, `${one}-${i}`), () => ({}))),
      ),
    );
    const { intact, records } = await verifyAuditTrail(path, 'trail');
    assert.deepEqual([intact, records], [true, 40]);
    writeFileSync(join(path, 'other'), '{"line":1}\n{"line":2}\n');
    await assert.rejects(
      new AtomicFileOperations(join(path, 'other')).atomicJsonUpdate(join(path, 'x'), () => ({})),
      {
        name: 'StorageError',
      },
    );
    assert.equal(readFileSync(join(path, 'other'), 'utf8'), '{"line":1}\n{"line":2}\n');
  });

  test('the global trail hears of configuration writes and rotations', async (t) => {
    const path = temporaryDirectory(t);
    const heard: string[] = [];
    setGlobalAuditTrail({ record: async ({ operation }) => heard.push(operation) });
    t.after(() => setGlobalAuditTrail(undefined));
    await writeConfigAtomically(join(path, 'a.yaml'), { a: 1 }, { type: 'object' });
    await rejects(writeConfigAtomically(join(path, 'a.yaml'), [], { type: 'object' }), 'ERR_DIRFD_INVALID_CONTENT');
    await safeFileRotation(join(path, 'a.yaml'), 2);
    assert.deepEqual(heard, ['write', 'rotate']);
    assert.ok(getGlobalAuditTrail());
    assert.deepEqual(readdirSync(path), ['a.yaml.1']);
    assert.deepEqual(await checkContent(readFileSync(join(path, 'a.yaml.1')), 'yaml'), { a: 1 });
  });
});
