// Versions made, put back and taken away.
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { DirectoryFd } from 'dirfd';
import { type BackupLosses, BackupManager } from 'dirfd/backup';
import { run } from '../../fixtures/command.js';
import { findTool } from '../../fixtures/tools.js';
import { everyByte } from '../../fixtures/trees/plain.js';
import { sameTree } from '../judges.js';
import { type Answer, amiss, complete, type Subject, tell, type Verdict } from '../subject.js';

/** Beside the store and the source, which goes on changing: what the source was at first. */
const [SOURCE, FIRST] = ['source', 'first'];

function makeSource(fixed: string): void {
  const at = (name: string): string => `${fixed}/${SOURCE}/${name}`;
  mkdirSync(at('sub'), { recursive: true });
  writeFileSync(at('same'), everyByte(5000));
  writeFileSync(at('changing'), 'as it was at first\n');
  linkSync(at('same'), at('sub/same'));
  symlinkSync('same', at('link'));
  if (findTool('setfattr')) run('setfattr', ['-n', 'user.text', '-v', 'a value', at('same')]);
  run('cp', ['-a', '--', at('.'), `${fixed}/${FIRST}`]);
}

function changeSource(fixed: string): void {
  writeFileSync(`${fixed}/${SOURCE}/changing`, 'as it is today, and longer\n');
  writeFileSync(`${fixed}/${SOURCE}/sub/more`, 'more\n');
}

/** What a version or a restore could not keep is told in its report. */
async function withStore(
  work: string,
  fixed: string,
  act: (backups: BackupManager, source: DirectoryFd) => Promise<unknown>,
): Promise<Answer> {
  await using source = await DirectoryFd.open(fixed);
  await using backups = await BackupManager.open(`${work}/store`);
  const { notKept = [] } = ((await act(backups, source)) ?? {}) as Partial<BackupLosses>;
  return notKept.length === 0 ? complete : { complete: false, told: notKept.map((loss) => tell(loss.path, loss)) };
}

const create = (work: string, fixed: string): Promise<Answer> =>
  withStore(work, fixed, (backups, source) => backups.createBackup(source, SOURCE));

/** A store with a version of the source as it was at first; the source is then what it is today. */
async function makeStore(work: string, fixed: string): Promise<void> {
  mkdirSync(`${work}/store`);
  rmSync(`${fixed}/${SOURCE}`, { recursive: true, force: true });
  makeSource(fixed);
  await create(work, fixed);
  changeSource(fixed);
}

const versionsIn = (work: string): string[] => readdirSync(`${work}/store/versions`).sort();

/** All of them whole: each is the first or the last state of the source, and its sums are those that sha256sum finds. */
function whole(work: string, fixed: string, ids: readonly string[]): Verdict {
  const lines = ids.flatMap((id) => {
    const version = `${work}/store/versions/${id}`;
    const states = [FIRST, SOURCE].map((state) => sameTree(`${version}/content`, `${fixed}/${state}`).differences);
    const isOne = states.some((differences) => differences.length === 0);
    return [...(isOne ? [] : states.flat().map(({ line }) => `${id}: ${line}`)), ...wrongSums(version)];
  });
  return amiss(lines);
}

function wrongSums(version: string): string[] {
  const [text = ''] = readFileSync(`${version}/manifest.json`, 'utf8').split('\n');
  const { files } = JSON.parse(text) as {
    readonly files: readonly { readonly path: string; readonly sha256: string }[];
  };
  const lines = files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join('');
  const checked = run('sha256sum', ['--check', '--quiet', '-'], { input: lines, cwd: `${version}/content` });
  return checked.split('\n').filter(Boolean);
}

const isOwn = (name: string): boolean => name.startsWith('.');

function exactly(work: string, fixed: string, isRight: (ids: readonly string[]) => boolean): Verdict {
  const ids = versionsIn(work);
  return isRight(ids) && !ids.some(isOwn) ? whole(work, fixed, ids) : amiss([`versions: ${ids.join(' ')}`]);
}

/** What has no dot is a version, in whatever moment. */
const wholeAtAnyTime = (work: string, fixed: string): Verdict =>
  whole(
    work,
    fixed,
    versionsIn(work).filter((id) => !isOwn(id)),
  );

/** What stood there, whole, under the name that the error of a failed sync has told: no cleanup takes it. */
function isKept(work: string, fixed: string, name: string): boolean {
  const { differences } = sameTree(`${work}/place/${name}`, `${fixed}/${SOURCE}`);
  return name.startsWith('.dirfd-replaced-') && differences.length === 0;
}

/** What stood there or what was restored. */
function restoredOrNot(work: string, fixed: string): Verdict {
  const states = [FIRST, SOURCE].map((state) => sameTree(`${work}/place/target`, `${fixed}/${state}`).differences);
  return amiss(states.every((differences) => differences.length > 0) ? states.flat().map(({ line }) => line) : []);
}

const restore = (work: string, fixed: string): Promise<Answer> =>
  withStore(work, fixed, async (backups) => {
    await using place = await DirectoryFd.open(`${work}/place`);
    const [id = ''] = await backups.ids();
    return await backups.restoreBackup(id, place, 'target');
  });

async function prune(work: string): Promise<Answer> {
  await using backups = await BackupManager.open(`${work}/store`);
  const { unreadable } = await backups.prune({ count: 1 });
  if (unreadable.length === 0) return complete;
  return { complete: false, told: unreadable.map(({ id, error }) => tell(id, error)) };
}

/** Backups start threads of their own, which share the work as it comes. */
const traits = { writes: true, ownThreads: true, unsteady: true, durable: true };

export const backupSubjects: readonly Subject[] = [
  {
    name: 'backup-create',
    ...traits,
    makeWork: makeStore,
    run: create,
    judge: (work, fixed) => exactly(work, fixed, ({ length }) => length === 2 || length === 3),
    judgeKilled: wholeAtAnyTime,
    judgeFailed: wholeAtAnyTime,
  },
  {
    name: 'backup-restore',
    ...traits,
    makeWork: async (work, fixed) => {
      await makeStore(work, fixed);
      mkdirSync(`${work}/place`);
      run('cp', ['-a', '--', `${fixed}/${SOURCE}`, `${work}/place/target`]);
    },
    run: restore,
    again: async (work, fixed) => {
      await withStore(work, fixed, async (backups) => {
        await using place = await DirectoryFd.open(`${work}/place`);
        await backups.cleanup([place]);
      });
      return await restore(work, fixed);
    },
    judge: (work, fixed) => {
      const names = readdirSync(`${work}/place`);
      const left = names
        .filter((name) => name !== 'target' && !isKept(work, fixed, name))
        .map((name) => ({ path: name, line: `left over: ${name}` }));
      const { differences } = sameTree(`${work}/place/target`, `${fixed}/${FIRST}`);
      return { differences: [...differences, ...left], lookalikes: [] };
    },
    judgeKilled: restoredOrNot,
    judgeFailed: restoredOrNot,
  },
  {
    name: 'backup-prune',
    ...traits,
    makeWork: async (work, fixed) => {
      await makeStore(work, fixed);
      await create(work, fixed);
      await create(work, fixed);
    },
    run: prune,
    again: async (work, fixed) => {
      await withStore(work, fixed, (backups) => backups.cleanup());
      return await prune(work);
    },
    judge: (work, fixed) => exactly(work, fixed, ({ length }) => length === 1),
    judgeKilled: wholeAtAnyTime,
    judgeFailed: wholeAtAnyTime,
  },
];
