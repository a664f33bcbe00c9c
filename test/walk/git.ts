// What git itself says of a tree: the oracle of the gitignore tests.
import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, run } from '../fixtures/command.js';
import { type TestLike, temporaryDirectory } from '../fixtures/temporary.js';

/** Without the caller's own git configuration, which a walk does not read either. */
export const gitEnvironment = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

/** An empty repository beside the trees it is asked about, so that nothing is written to those. */
export function emptyRepository(t: Pick<TestLike, 'after'>): string {
  const directory = temporaryDirectory(t);
  run('git', ['init', '-q', '--bare', '--template=', directory], { env: gitEnvironment });
  return directory;
}

/** Paths are latin1: a character a byte. */
export function walkedAsGitWould(repository: string, root: string): string[] {
  const all = everyPath(root);
  const ignored = ignoredByGit(repository, root, all);
  return all.filter((path) => !ignored.has(path)).sort();
}

/** Every path, but for `.git` and what is in it. Nothing below a symlink. */
export function everyPath(root: string, below = ''): string[] {
  return entriesOf(Buffer.from(join(root, below), 'latin1')).flatMap((entry) => {
    if (entry.name === '.git') return [];
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    return entry.isDirectory() ? [path, ...everyPath(root, path)] : [path];
  });
}

/** None of a directory that is gone by now: other tests build and remove things in this repository meanwhile. */
function entriesOf(directory: Buffer): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true, encoding: 'latin1' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** `git check-ignore`: with what is below an ignored directory. */
function ignoredByGit(repository: string, root: string, paths: readonly string[]): Set<string> {
  // "./": a path that begins with a colon would be a pathspec with magic.
  const input = Buffer.from(paths.map((path) => `./${path}\0`).join(''), 'latin1');
  const checked = attempt('git', ['check-ignore', '--no-index', '--stdin', '-z'], {
    cwd: root,
    input,
    env: { ...gitEnvironment, GIT_DIR: repository, GIT_WORK_TREE: root },
  });
  if (checked.status !== 0 && checked.status !== 1) throw new Error(`git check-ignore: ${checked.stderr}`);
  return new Set(checked.stdout.split('\0').map((path) => path.slice(2)));
}
