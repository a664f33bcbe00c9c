// What fs.promises.cp does, case by case; dirfd/fs does the same, but where `node` says what Node does instead, and why dirfd does not.
import { constants } from 'node:fs';
import type { CpOptions } from 'dirfd/fs';

export interface Case {
  readonly name: string;
  readonly tree: readonly string[];
  readonly src?: string;
  readonly dest?: string;
  readonly options?: Omit<CpOptions, 'filter'> & { readonly filter?: (src: string, dest: string) => unknown };
  /** The error's code; none: it succeeds. */
  readonly code?: string;
  /** What came and what went. */
  readonly changes: readonly string[];
  readonly node?: { readonly code?: string; readonly changes: readonly string[]; readonly because: string };
}

const recursive = { recursive: true } as const;
const nothing: readonly string[] = [];

export const cases: readonly Case[] = [
  { name: 'a file', tree: ['src = x'], changes: ['+ dest = x'] },
  { name: 'a file below directories that are not there', tree: ['src = x'], dest: 'a/b/c', changes: ['+ a/b/c = x'] },
  { name: 'a file over a file', tree: ['src = x', 'dest = y'], changes: ['- dest = y', '+ dest = x'] },
  {
    name: 'a file over a file, force: false',
    tree: ['src = x', 'dest = y'],
    options: { force: false },
    changes: nothing,
  },
  {
    name: 'a file over a file, errorOnExist',
    tree: ['src = x', 'dest = y'],
    options: { force: false, errorOnExist: true },
    code: 'ERR_FS_CP_EEXIST',
    changes: nothing,
  },
  {
    name: 'a file over a file, errorOnExist with force',
    tree: ['src = x', 'dest = y'],
    options: { errorOnExist: true },
    changes: ['- dest = y', '+ dest = x'],
  },
  { name: 'nothing', tree: [], code: 'ENOENT', changes: nothing },
  { name: 'a directory without recursive', tree: ['src/a = x'], code: 'ERR_FS_EISDIR', changes: nothing },
  {
    name: 'a directory',
    tree: ['src/a = x', 'src/b/c = y', 'src/empty/'],
    options: recursive,
    changes: ['+ dest/a = x', '+ dest/b/c = y', '+ dest/empty/'],
  },
  {
    name: 'a directory, named with a slash',
    tree: ['src/a = x'],
    src: 'src/',
    dest: 'dest/',
    options: recursive,
    changes: ['+ dest/a = x'],
  },
  {
    name: 'a directory below directories that are not there',
    tree: ['src/a = x'],
    dest: 'n/e/w',
    options: recursive,
    changes: ['+ n/e/w/a = x'],
  },
  {
    name: 'a directory into one that is there: both remain',
    tree: ['src/a = x', 'src/d/b = x', 'dest/a = y', 'dest/d/c = y'],
    options: recursive,
    changes: ['- dest/a = y', '+ dest/a = x', '+ dest/d/b = x'],
  },
  {
    name: 'a directory into one that is there, force: false',
    tree: ['src/a = x', 'src/b = x', 'dest/a = y'],
    options: { ...recursive, force: false },
    changes: ['+ dest/b = x'],
  },
  {
    name: 'a directory into one that is there, errorOnExist',
    tree: ['src/a = x', 'dest/a = y'],
    options: { ...recursive, force: false, errorOnExist: true },
    code: 'ERR_FS_CP_EEXIST',
    changes: nothing,
  },
  {
    name: 'a directory over a file',
    tree: ['src/a = x', 'dest = y'],
    options: recursive,
    code: 'ERR_FS_CP_DIR_TO_NON_DIR',
    changes: nothing,
  },
  {
    name: 'a file over a directory',
    tree: ['src = x', 'dest/a = y'],
    options: recursive,
    code: 'ERR_FS_CP_NON_DIR_TO_DIR',
    changes: nothing,
  },
  {
    name: 'a directory over a file, further down',
    tree: ['src/d/a = x', 'dest/d = y'],
    options: recursive,
    code: 'ERR_FS_CP_DIR_TO_NON_DIR',
    changes: nothing,
  },
  {
    name: 'a file over a directory, further down',
    tree: ['src/d = x', 'dest/d/a = y'],
    options: recursive,
    code: 'ERR_FS_CP_NON_DIR_TO_DIR',
    changes: nothing,
  },
  { name: 'a file onto itself', tree: ['src = x'], dest: 'src', code: 'ERR_FS_CP_EINVAL', changes: nothing },
  {
    name: 'a directory onto itself',
    tree: ['src/a = x'],
    dest: 'src',
    options: recursive,
    code: 'ERR_FS_CP_EINVAL',
    changes: nothing,
  },
  {
    name: 'a directory into itself',
    tree: ['src/a = x'],
    dest: 'src/b',
    options: recursive,
    code: 'ERR_FS_CP_EINVAL',
    changes: nothing,
  },
  {
    name: 'a directory into itself, by way of a symlink',
    tree: ['src/a = x', 'other -> src'],
    dest: 'other/b',
    options: recursive,
    code: 'ERR_FS_CP_EINVAL',
    changes: nothing,
  },
  {
    name: 'a directory into itself, below directories that are not there',
    tree: ['src/a = x'],
    dest: 'src/b/c/d',
    options: recursive,
    code: 'ERR_FS_CP_EINVAL',
    changes: nothing,
  },
  {
    name: 'a directory to a name that begins alike',
    tree: ['src/a = x'],
    dest: 'src-2',
    options: recursive,
    changes: ['+ src-2/a = x'],
  },
  { name: 'a FIFO', tree: ['src |'], code: 'ERR_FS_CP_FIFO_PIPE', changes: nothing },
  {
    name: 'a directory with a FIFO',
    tree: ['src/fifo |'],
    options: recursive,
    code: 'ERR_FS_CP_FIFO_PIPE',
    changes: ['+ dest/'],
  },
  {
    name: 'a relative symlink is made absolute',
    tree: ['src/a = x', 'src/link -> a'],
    options: recursive,
    changes: ['+ dest/a = x', '+ dest/link -> $/src/a'],
  },
  {
    name: 'a relative symlink, verbatim',
    tree: ['src/a = x', 'src/link -> a'],
    options: { ...recursive, verbatimSymlinks: true },
    changes: ['+ dest/a = x', '+ dest/link -> a'],
  },
  { name: 'a symlink, not its target', tree: ['a = x', 'src -> a'], changes: ['+ dest -> $/a'] },
  { name: 'a symlink that dangles', tree: ['src -> nowhere'], changes: ['+ dest -> $/nowhere'] },
  { name: 'a symlink over a file', tree: ['src -> a', 'dest = y'], code: 'EEXIST', changes: nothing },
  {
    name: 'a symlink over another one',
    tree: ['a = x', 'b = y', 'src -> a', 'dest -> b'],
    changes: ['- dest -> b', '+ dest -> $/a'],
  },
  {
    name: 'a symlink over one that is the same already',
    tree: ['a/b = x', 'src/link -> $/a', 'dest/link -> $/a'],
    options: recursive,
    changes: nothing,
    node: { code: 'ERR_FS_CP_EINVAL', changes: nothing, because: 'a copy can be repeated (nodejs/node#65097)' },
  },
  {
    name: 'a symlink that dangles, over another one',
    tree: ['src -> nowhere', 'dest -> elsewhere'],
    changes: ['- dest -> elsewhere', '+ dest -> $/nowhere'],
    node: {
      code: 'ENOENT',
      changes: nothing,
      because: 'where a link leads is no matter when the link itself is copied',
    },
  },
  {
    name: 'a symlink over one that leads below where it leads',
    tree: ['a/b/c = x', 'src/link -> $/a', 'dest/link -> $/a/b'],
    options: recursive,
    code: 'ERR_FS_CP_EINVAL',
    changes: nothing,
  },
  {
    name: 'a symlink over one that leads above where it leads',
    tree: ['a/b/c = x', 'src/link -> $/a/b', 'dest/link -> $/a'],
    options: recursive,
    code: 'ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY',
    changes: nothing,
  },
  {
    name: 'a directory over a symlink to a directory',
    tree: ['src/a = x', 'real/', 'dest -> real'],
    options: recursive,
    code: 'ERR_FS_CP_DIR_TO_NON_DIR',
    changes: nothing,
  },
  {
    name: 'dereference: what links lead to',
    tree: ['a = x', 'd/b = y', 'src/file -> ../a', 'src/dir -> ../d'],
    options: { ...recursive, dereference: true },
    changes: ['+ dest/dir/b = y', '+ dest/file = x'],
  },
  {
    name: 'dereference: of a file',
    tree: ['a = x', 'src -> a'],
    options: { dereference: true },
    changes: ['+ dest = x'],
  },
  {
    name: 'dereference: a link that dangles',
    tree: ['src/link -> nowhere'],
    options: { ...recursive, dereference: true },
    code: 'ENOENT',
    changes: ['+ dest/'],
  },
  {
    name: 'dereference: an absolute link, and one by way of others',
    tree: ['d/a = x', 'way -> d', 'on -> way/a', 'src/absolute -> $/d/a', 'src/relative -> ../on'],
    options: { ...recursive, dereference: true },
    changes: ['+ dest/absolute = x', '+ dest/relative = x'],
  },
  {
    name: 'dereference: links that end in a slash or a dot',
    tree: ['d/e/', 'd/a = x', 'src/dot -> ../d/.', 'src/dots -> ../d/e/..', 'src/slash -> ../d/'],
    options: { ...recursive, dereference: true },
    changes: ['dot', 'dots', 'slash'].flatMap((name) => [`+ dest/${name}/a = x`, `+ dest/${name}/e/`]),
  },
  {
    name: 'dereference: a file with a slash after its name',
    tree: ['a = x', 'src/link -> ../a/'],
    options: { ...recursive, dereference: true },
    code: 'ENOTDIR',
    changes: ['+ dest/'],
  },
  {
    name: 'dereference: links that lead to one another',
    tree: ['src/a -> b', 'src/b -> a'],
    options: { ...recursive, dereference: true },
    code: 'ELOOP',
    changes: ['+ dest/'],
  },
  {
    name: 'dereference: a FIFO',
    tree: ['pipe |', 'src/link -> ../pipe'],
    options: { ...recursive, dereference: true },
    code: 'ERR_FS_CP_FIFO_PIPE',
    changes: ['+ dest/'],
  },
  {
    name: 'dereference: a link back to a directory that it lies in',
    tree: ['src/a/up -> ..'],
    options: { ...recursive, dereference: true },
    code: 'ERR_FS_CP_EINVAL',
    changes: ['+ dest/a/'],
    node: { code: 'ELOOP', changes: ['deep'], because: 'the loop is noticed at once, not forty copies later' },
  },
  {
    name: 'dereference: a link of the destination is not written through',
    tree: ['src/d/a = x', 'real/', 'dest/d -> ../real'],
    options: { ...recursive, dereference: true },
    code: 'ERR_FS_CP_DIR_TO_NON_DIR',
    changes: nothing,
    node: { changes: ['- real/', '+ real/a = x'], because: 'nothing below dest leads out of it' },
  },
  {
    name: 'filter leaves out files and directories',
    tree: ['src/a.js = x', 'src/b.log = x', 'src/d/c.js = x', 'src/no/e.js = x'],
    options: { ...recursive, filter: (src) => !src.endsWith('.log') && !src.endsWith('/no') },
    changes: ['+ dest/a.js = x', '+ dest/d/c.js = x'],
  },
  {
    name: 'an asynchronous filter',
    tree: ['src/a = x', 'src/b = x'],
    options: { ...recursive, filter: async (src) => !src.endsWith('b') },
    changes: ['+ dest/a = x'],
  },
  {
    name: 'a filter that leaves out all',
    tree: ['src/a = x'],
    options: { ...recursive, filter: () => false },
    changes: nothing,
  },
  { name: 'a filter is asked before src is looked at', tree: [], options: { filter: () => false }, changes: nothing },
  {
    name: 'mode: COPYFILE_EXCL changes nothing with force',
    tree: ['src = x', 'dest = y'],
    options: { mode: constants.COPYFILE_EXCL },
    changes: ['- dest = y', '+ dest = x'],
  },
  { name: 'mode out of range', tree: ['src = x'], options: { mode: 8 }, code: 'ERR_OUT_OF_RANGE', changes: nothing },
  {
    name: 'mode of the wrong type',
    tree: ['src = x'],
    options: { mode: 'x' as unknown as number },
    code: 'ERR_INVALID_ARG_TYPE',
    changes: nothing,
  },
  {
    name: 'force of the wrong type',
    tree: ['src = x'],
    options: { force: 1 as unknown as boolean },
    code: 'ERR_INVALID_ARG_TYPE',
    changes: nothing,
  },
  {
    name: 'filter of the wrong type',
    tree: ['src = x'],
    options: { filter: 'x' as unknown as () => boolean },
    code: 'ERR_INVALID_ARG_TYPE',
    changes: nothing,
  },
  {
    name: 'dereference together with verbatimSymlinks',
    tree: ['src = x'],
    options: { dereference: true, verbatimSymlinks: true },
    code: 'ERR_INCOMPATIBLE_OPTION_PAIR',
    changes: nothing,
  },
];
