// The red controls: the same jobs done by others. At least one of them must be led astray by each attack, or the harness proves nothing.
import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../fixtures/repository.js';
import { findTool } from '../fixtures/tools.js';
import type { Attack } from './arena.js';
import type { Operation } from './operations.js';
import { outsidersName, secret } from './outside.js';
import type { Stage } from './stage.js';

const execute = promisify(execFile);
const requireFromBench = createRequire(join(repositoryRoot, 'bench', 'package.json'));

const copies = { sides: ['source', 'destination'], makes: 'destination' } as const;
const reads = { sides: ['source'], makes: undefined } as const;

export const peers: readonly Operation[] = [
  {
    ...copies,
    name: 'fs.promises.cp',
    unavailable: noMounts,
    run: ({ arena, attempt }) =>
      attempt('cp', () => fs.cp(arena.source, arena.destination, { recursive: true, verbatimSymlinks: true })),
  },
  {
    ...copies,
    name: 'fs-extra copy',
    unavailable: (attack) => noMounts(attack) ?? notInstalled('fs-extra'),
    run: ({ arena, attempt }) =>
      attempt('copy', () => coded(requireFromBench('fs-extra').copy(arena.source, arena.destination))),
  },
  command('cp -a', 'cp', ['-aT'], '-x'),
  command('rsync -a --delete', 'rsync', ['-a', '--delete'], '-x'),
  {
    ...reads,
    name: 'fs.promises.rm',
    unavailable: noMounts,
    run: ({ arena, attempt }) => attempt('rm', () => fs.rm(arena.tree, { recursive: true, force: true })),
  },
  {
    ...reads,
    name: 'rm -rf',
    unavailable: noMounts,
    run: ({ arena, attempt }) => attempt('rm', () => execute('rm', ['-rf', arena.tree])),
  },
  {
    ...reads,
    name: 'fs.promises.readdir',
    unavailable: noMounts,
    run: ({ arena, attempt }) =>
      attempt(
        'readdir',
        () => fs.readdir(arena.tree, { recursive: true }),
        (names) => (names.some((name) => name.endsWith(outsidersName)) ? 'listed the outside' : undefined),
      ),
  },
  {
    sides: ['source', 'destination'],
    makes: undefined,
    name: 'diff -r',
    unavailable: (attack) => noMounts(attack) ?? (findTool('diff') === undefined ? 'diff is not installed' : undefined),
    run: ({ arena, attempt }) =>
      attempt(
        'diff',
        () =>
          execute('diff', ['-r', '--no-dereference', arena.source, arena.destination]).catch(
            (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
          ),
        ({ stdout }) => (stdout.includes(outsidersName) || stdout.includes(secret) ? 'told of the outside' : undefined),
      ),
  },
  { ...reads, name: 'node:fs, after a look', unavailable: noMounts, run: lookAndLeap },
  {
    ...reads,
    name: 'fs-safe',
    unavailable: (attack) => noMounts(attack) ?? tooOld(22) ?? notInstalled('@openclaw/fs-safe'),
    run: throughFsSafe,
  },
];

/** The check that people write: an lstat, then the deed. */
async function lookAndLeap({ arena, attempt }: Stage): Promise<void> {
  const file = arena.attack.exchange === 'directory-symlink' ? join(arena.victim, 'file') : arena.victim;
  const looked = async (): Promise<void> => {
    const [holder, held] = [await fs.lstat(arena.victim), await fs.lstat(file)];
    if (holder.isSymbolicLink() || !held.isFile()) throw Object.assign(new Error('refused'), { code: 'refused' });
  };
  for (let round = 0; round < 20; round++) {
    await attempt(
      'readFile',
      async () => {
        await looked();
        return await fs.readFile(file, 'utf8');
      },
      (text) => (text.includes(secret) ? 'read a sentinel' : undefined),
    );
    await attempt('writeFile', async () => {
      await looked();
      await fs.writeFile(file, 'inside');
    });
  }
}

async function throughFsSafe({ arena, attempt }: Stage): Promise<void> {
  const { root } = await import(requireFromBench.resolve('@openclaw/fs-safe'));
  const safe = await root(arena.tree);
  for (const path of arena.paths.many) {
    const reveals = (text: string) => (text.includes(secret) ? 'read a sentinel' : undefined);
    await attempt(`readText ${path}`, () => safe.readText(path) as Promise<string>, reveals);
    await attempt(`write ${path}`, () => safe.write(path, 'inside') as Promise<unknown>);
    await attempt(`mkdir ${path}`, () => safe.mkdir(`${path}-made/deep`) as Promise<unknown>);
    await attempt(`move ${path}`, () => safe.move(path, 'moved', { overwrite: true }) as Promise<unknown>);
    await attempt(`remove ${path}`, () => safe.remove(path) as Promise<unknown>);
  }
}

function command(name: string, program: string, options: readonly string[], oneFileSystem: string): Operation {
  return {
    ...copies,
    name,
    unavailable: () => (findTool(program) === undefined ? `${program} is not installed` : undefined),
    run: ({ arena, attempt }) => {
      const all = arena.attack.exchange === 'directory-mount' ? [...options, oneFileSystem] : options;
      return attempt(name, () => execute(program, [...all, `${arena.source}/`, `${arena.destination}/`]));
    },
  };
}

/** fs-extra's own errors have no code. */
async function coded<T>(work: Promise<T>): Promise<T> {
  return await work.catch((error: Error) => {
    throw Object.assign(error, { code: (error as NodeJS.ErrnoException).code ?? 'Error' });
  });
}

/** What has no option to stay on one file system may cross. */
function noMounts({ exchange }: Attack): string | undefined {
  return exchange === 'directory-mount' ? 'crosses mounts by design' : undefined;
}

function notInstalled(name: string): string | undefined {
  try {
    requireFromBench.resolve(name);
    return undefined;
  } catch {
    return `${name} is not installed: npm run bench:install`;
  }
}

function tooOld(major: number): string | undefined {
  return Number(process.versions.node.split('.')[0]) < major ? `needs Node ${major}` : undefined;
}
