// Handles beyond one function: forgotten, disposed of, in several environments, required and imported.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { DirectoryFd } from 'dirfd';
import { attempt } from '../fixtures/command.js';
import { assertDescriptorsReturn, expectNoLeaks, openDescriptors } from '../fixtures/descriptors.js';
import { importable } from '../fixtures/ordinary-user.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { scratch } from './scratch.js';

expectNoLeaks();

function runModule(script: string, args: readonly string[], nodeOptions: readonly string[] = []) {
  return attempt(process.execPath, [...nodeOptions, '--input-type=module', '-e', importable(script), '--', ...args]);
}

test('a forgotten handle is closed by the garbage collector, with a warning that names it', async (t) => {
  const { path } = await scratch(t);
  writeFileSync(join(path, 'file'), '');
  const script = `
    import { DirectoryFd } from 'dirfd';
    import { readdirSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    const count = () => readdirSync('/proc/self/fd').length;
    const forget = async () => { await (await DirectoryFd.open(process.argv[1])).openFile('file'); };
    const first = await DirectoryFd.open(process.argv[1]);
    await (await first.openFile('file')).close(); // from here on /proc is pinned
    await first.close();
    const before = count();
    const warnings = [];
    process.on('warning', (warning) => warnings.push(warning.name + ': ' + warning.message));
    await forget();
    for (let i = 0; i < 50 && count() > before; i++) { gc(); await sleep(20); }
    await sleep(20);
    console.log(JSON.stringify({ left: count() - before, warnings: warnings.sort() }));`;
  const ran = runModule(script, [path], ['--expose-gc', '--no-warnings']);
  assert.deepEqual(JSON.parse(ran.stdout || '{}'), {
    left: 0,
    warnings: [
      `DirfdWarning: DirectoryFd '${path}' was garbage collected while open; use 'await using' or close()`,
      `DirfdWarning: FileFd '${path}/file' was garbage collected while open; use 'await using' or close()`,
    ],
  });
});

test('a handle is not collected under an operation, a stream, or another handle that needs it', async (t) => {
  const { path } = await scratch(t);
  writeFileSync(join(path, 'file'), 'x'.repeat(500_000));
  const script = `
    import { DirectoryFd } from 'dirfd';
    import { text } from 'node:stream/consumers';
    const path = process.argv[1];
    const reading = (async () => (await DirectoryFd.open(path)).readFile('file'))();
    const stream = await (async () => (await (await DirectoryFd.open(path)).openFile('file')).createReadStream({ highWaterMark: 1000 }))();
    const timer = setInterval(gc, 1);
    const streamed = await text(stream);
    console.log((await reading).length, streamed.length);
    clearInterval(timer);`;
  const ran = runModule(script, [path], ['--expose-gc', '--no-warnings']);
  assert.equal(ran.stdout, '500000 500000\n', ran.stderr);
});

test('a closed handle that is collected says nothing', async (t) => {
  const { path } = await scratch(t);
  const script = `
    import { DirectoryFd } from 'dirfd';
    import { setTimeout as sleep } from 'node:timers/promises';
    for (let i = 0; i < 100; i++) await (await DirectoryFd.open(process.argv[1])).close();
    for (let i = 0; i < 5; i++) { gc(); await sleep(10); }`;
  const ran = runModule(script, [path], ['--expose-gc']);
  assert.deepEqual([ran.status, ran.stderr], [0, '']);
});

test('await using closes at the end of the block, also when it throws', async (t) => {
  const { path } = await scratch(t);
  const descriptors = openDescriptors();
  let kept: DirectoryFd | undefined;
  await assert.rejects(async () => {
    await using directory = await DirectoryFd.open(path);
    kept = directory;
    throw new Error('on the way');
  }, /on the way/);
  assert.equal(kept?.closed, true);
  await assertDescriptorsReturn(descriptors);
});

test('require() and import give the same classes', (t) => {
  void t;
  const script = `
    import { createRequire } from 'node:module';
    import * as imported from 'dirfd';
    const required = createRequire(${JSON.stringify(`file://${repositoryRoot}/test/x.js`)})('dirfd');
    console.log(imported.DirectoryFd === required.DirectoryFd, imported.FsError === required.FsError);`;
  const ran = runModule(script, [], ['--no-warnings']);
  assert.equal(ran.stdout, 'true true\n', ran.stderr);
});

test('several environments work at once, and their ends close what they left open', async (t) => {
  const { path } = await scratch(t);
  writeFileSync(join(path, 'file'), 'content');
  const script = importable(`
    import { DirectoryFd } from 'dirfd';
    import { parentPort, workerData } from 'node:worker_threads';
    const directory = await DirectoryFd.open(workerData.path);
    const mine = 'worker-' + workerData.number;
    globalThis.kept = [directory, await directory.openFile('file')];
    for (let i = 0; i < 200; i++) {
      await directory.writeFile(mine, String(i));
      if (await directory.readFile(mine, 'utf8') !== String(i)) throw new Error('mixed up');
    }
    parentPort.postMessage((await directory.readFile('file', 'utf8')));`);
  const descriptors = openDescriptors();
  const workers = Array.from({ length: 4 }, (_, number) => {
    const url = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
    return new Worker(url, { workerData: { path, number } });
  });
  const answers = workers.map(
    (worker) =>
      new Promise((resolve, reject) => {
        let answer: unknown;
        worker.once('message', (message) => {
          answer = message;
        });
        worker.once('error', reject).once('exit', () => resolve(answer));
      }),
  );
  assert.deepEqual(await Promise.all(answers), ['content', 'content', 'content', 'content']);
  await assertDescriptorsReturn(descriptors);
});

test('a process ends by itself with handles open and nothing to do', async (t) => {
  const { path } = await scratch(t);
  const started = Date.now();
  const ran = runModule(
    `import { DirectoryFd } from 'dirfd';
     globalThis.kept = await DirectoryFd.open(process.argv[1]);
     await kept.removeTree('nothing', { force: true });`,
    [path],
  );
  assert.deepEqual([ran.status, ran.stderr], [0, '']);
  assert.ok(Date.now() - started < 10_000);
});
