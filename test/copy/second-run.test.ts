// A copy over a copy: it finds whatever has changed, on either side and wherever it lies, and where nothing has, it writes nothing.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CopyOptions, copyTree } from 'dirfd';
import { run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { isDisabled } from '../fixtures/fallbacks.js';
import { countCalls } from '../fixtures/strace.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { findTool, requireTool } from '../fixtures/tools.js';
import { traceScript } from '../fixtures/traced-script.js';
import { project } from '../fixtures/trees.js';
import { assertComplete, type Pair, pair } from './pair.js';

/** Two levels down, so that a change below has to be found through directories that are the same on both sides. */
function deep(source: string): void {
  const inner = join(source, 'a', 'b');
  mkdirSync(join(inner, 'c'), { recursive: true });
  mkdirSync(join(source, 'quiet', 'too'), { recursive: true });
  // Of sizes of their own: made within one tick of the clock, two files of one size are the same to any run that compares sizes and times.
  for (const name of ['one', 'two', 'c/three']) writeFileSync(join(inner, name), `content of ${name}`);
  truncateSync(join(inner, 'two'), 100);
  for (const name of ['x', 'yy']) writeFileSync(join(source, 'quiet', name.charAt(0)), name);
  linkSync(join(inner, 'one'), join(inner, 'c', 'one-again'));
  linkSync(join(source, 'quiet', 'x'), join(source, 'quiet', 'too', 'x-again'));
  symlinkSync('one', join(inner, 'link'));
  for (const path of [inner, join(inner, 'c')]) utimesSync(path, 1e9, 1e9);
}

/** Done to one side, in the directory a/b; times of the directories are set back, so that they do not tell of the change. */
const changes: Readonly<Record<string, (inner: string) => void>> = {
  'a mode': (inner) => chmodSync(join(inner, 'two'), 0o640),
  'a time, by a nanosecond or a few': (inner) => run('touch', ['-d', '@1000000000.000000007', join(inner, 'two')]),
  'a size, at the same time': (inner) => keepingTimes(join(inner, 'two'), () => writeFileSync(join(inner, 'two'), '')),
  'the mode of a directory': (inner) => chmodSync(join(inner, 'c'), 0o711),
  'the time of a directory': (inner) => utimesSync(join(inner, 'c'), 2e9, 2e9),
  'the target of a link, of the same length, at the same time': (inner) => {
    keepingTimes(join(inner, 'link'), () => {
      unlinkSync(join(inner, 'link'));
      symlinkSync('two', join(inner, 'link'));
    });
  },
  'the time of a link': (inner) => lutimesSync(join(inner, 'link'), 5, 5),
  'a file that is a link': (inner) => {
    unlinkSync(join(inner, 'two'));
    symlinkSync('one', join(inner, 'two'));
  },
  'a file that is a directory': (inner) => {
    unlinkSync(join(inner, 'two'));
    mkdirSync(join(inner, 'two'));
  },
  'a directory that is a file': (inner) => {
    rmSync(join(inner, 'c'), { recursive: true });
    writeFileSync(join(inner, 'c'), '');
  },
  'a name that is missing': (inner) => unlinkSync(join(inner, 'two')),
  'a directory that is missing, with a further name in it': (inner) => rmSync(join(inner, 'c'), { recursive: true }),
  'a name too many': (inner) => writeFileSync(join(inner, 'more'), ''),
  'one name for another': (inner) => renameSync(join(inner, 'two'), join(inner, 'tow')),
  'a name that has become a file of its own': (inner) => {
    keepingTimes(join(inner, 'one'), () => {
      unlinkSync(join(inner, 'c', 'one-again'));
      run('cp', ['-p', join(inner, 'one'), join(inner, 'c', 'one-again')]);
    });
  },
  'a further name in another directory': (inner) => linkSync(join(inner, 'one'), join(inner, '..', 'one-more')),
  'names of two files that have become one': (inner) => {
    const quiet = join(inner, '..', '..', 'quiet');
    unlinkSync(join(quiet, 'y'));
    linkSync(join(quiet, 'x'), join(quiet, 'y'));
  },
  'an attribute more': (inner) => attribute(['-n', 'user.more', '-v', '1', join(inner, 'two')]),
  'an attribute of a directory': (inner) => attribute(['-n', 'user.more', '-v', '1', join(inner, 'c')]),
  'another value': (inner) => attribute(['-n', 'user.value', '-v', 'changed', join(inner, 'c', 'three')]),
};

function attribute(args: readonly string[]): void {
  run('setfattr', args);
}

/** The time of `path` is afterwards what it was before. */
function keepingTimes(path: string, change: () => void): void {
  const { mtimeNs } = lstatSync(path, { bigint: true });
  change();
  const fraction = String(mtimeNs % 1_000_000_000n).padStart(9, '0');
  run('touch', ['-h', '-d', `@${mtimeNs / 1_000_000_000n}.${fraction}`, path]);
}

/** The same of the directories in which a change may be made. */
function keepingDirectoryTimes(root: string, change: () => void): void {
  const directories = ['a', 'a/b', 'quiet'].map((name) => join(root, name));
  directories.reduceRight((inner, path) => () => keepingTimes(path, inner), change)();
}

async function assertFound(t: Parameters<typeof pair>[0], side: 'source' | 'destination', change: string) {
  const { source, destination, from }: Pair = pair(t, deep);
  if (findTool('setfattr')) attribute(['-n', 'user.value', '-v', 'initial', from('a/b/c/three')]);
  await copyTree(source, destination);
  const inner = join(side === 'source' ? source : destination, 'a', 'b');
  keepingDirectoryTimes(side === 'source' ? source : destination, () => changes[change]?.(inner));
  const options: CopyOptions = { update: true, delete: true };
  assertComplete(await copyTree(source, destination, options));
  assertSameTree(source, destination);
  const again = await copyTree(source, destination, options);
  const { files, directories, symlinks, hardLinks, updated, deleted } = again;
  assert.deepEqual([files, directories, symlinks, hardLinks, updated, deleted], [0, 0, 0, 0, 0, 0]);
}

for (const change of Object.keys(changes)) {
  test(`a second run finds ${change}, in the source and in the destination`, async (t) => {
    if (/attribute|value/.test(change) && !requireTool(t, 'setfattr')) return;
    await assertFound(t, 'source', change);
    await assertFound(t, 'destination', change);
  });
}

test('a second run finds the one entry that has changed among thousands of a wide directory', async (t) => {
  const { source, destination, from, to } = pair(t);
  for (let index = 0; index < 2500; index++) writeFileSync(from(`file-${index}`), '');
  mkdirSync(from('zz-last'));
  await copyTree(source, destination);
  utimesSync(from('file-2499'), 1e9, 1e9);
  chmodSync(to('file-1500'), 0o600);
  writeFileSync(from('zz-last', 'new'), '');
  const report = await copyTree(source, destination, { update: true, delete: true });
  assert.deepEqual([report.files, report.updated], [2, 1]);
  assertSameTree(source, destination);
});

test('a tree of which most has changed is set right too', async (t) => {
  const { source, destination, from } = pair(t);
  for (let index = 0; index < 600; index++) {
    mkdirSync(from(`directory-${index}`));
    writeFileSync(from(`directory-${index}`, 'file'), '');
  }
  await copyTree(source, destination);
  for (let index = 0; index < 600; index++) writeFileSync(from(`directory-${index}`, 'file'), 'changed');
  const report = await copyTree(source, destination, { update: true, delete: true });
  assert.equal(report.files, 600);
  assertSameTree(source, destination);
});

// Calls that change a file system. write(2) is not among them: threads wake each other by it, and no copy uses it.
const writing =
  /^(pwrite|copy_file_range|sendfile|fallocate|f?truncate|utime|f?u?timens|futimes|f?ch(mod|own)|lchown|l?f?(set|remove)xattr|mk|rename|link|symlink|unlink|rmdir|fsync|fdatasync|syncfs|ioctl)/;

const secondRun = `
  import { copyTree } from 'dirfd';
  await copyTree(process.argv[1], process.argv[2], { update: true, delete: true });
  mark('begin');
  await copyTree(process.argv[1], process.argv[2], { update: true, delete: true });
  mark('end');
`;

test('over an unchanged tree it writes nothing, and asks four things an entry', async (t) => {
  if (!requireTool(t, 'strace')) return;
  const base = temporaryDirectory(t);
  const trace = async (size: number) => {
    const [source, destination] = [join(base, `source-${size}`), join(base, `copy-${size}`)];
    mkdirSync(source);
    project(source, size);
    for (let index = 0; index < size; index++) writeFileSync(join(source, `file-${index}`), '');
    await copyTree(source, destination);
    return traceScript(secondRun, [source, destination]);
  };
  // What fails has not written: copy_file_range(-1, …) asks whether the kernel has the call.
  const wrote = (await trace(40)).filter(({ call, errno }) => writing.test(call) && errno === undefined);
  assert.deepEqual(wrote, [], 'nothing is written');

  const wide = (count: number) => {
    const source = join(base, `wide-${count}`);
    mkdirSync(source);
    for (let index = 0; index < count; index++) writeFileSync(join(source, `file-${index}`), '');
    return countCalls(traceScript(secondRun, [source, `${source}-copy`]));
  };
  // Attributes are listed by listxattrat(2), which this strace may not know by name and leave out. The difference of two sizes: what is done once a run or once a directory falls out.
  const [few, many] = [wide(200), wide(1000)];
  const own = [...many].filter(([call]) => !/futex|epoll|write|read|madvise|mprotect|mmap|munmap|brk/.test(call));
  const perEntry = own.reduce((sum, [call, times]) => sum + (times - (few.get(call) ?? 0)) / 800, 0);
  t.diagnostic(`${perEntry.toFixed(2)} calls an entry`);
  // With neither listxattrat(2) nor /proc each list is three calls: into the directory, the list, and back.
  const most = isDisabled('xattrat') && isDisabled('proc') ? 2 + 2 * 3 : 4;
  assert.ok(perEntry <= most + 0.05, `${perEntry.toFixed(2)} calls an entry: ${JSON.stringify(own)}`);
});
