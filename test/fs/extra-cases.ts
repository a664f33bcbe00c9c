// What fs-extra's copy, move, remove, emptyDir and ensureDir do, case by case.
import type * as Fs from 'dirfd/fs';

export interface ExtraCase {
  readonly name: string;
  readonly tree: readonly string[];
  readonly call: (fs: typeof Fs, at: (path: string) => string) => Promise<unknown>;
  /** The message; none: it succeeds. $ is the directory that all is in. */
  readonly error?: RegExp;
  readonly changes: readonly string[];
  /** What fs-extra does instead. */
  readonly extra?: { readonly error?: RegExp; readonly changes: readonly string[]; readonly because: string };
}

const copy =
  (src: string, dest: string, options?: Fs.FsCopyOptions): ExtraCase['call'] =>
  (fs, at) =>
    fs.copy(at(src), at(dest), options);
const move =
  (src: string, dest: string, options?: Fs.MoveOptions): ExtraCase['call'] =>
  (fs, at) =>
    fs.move(at(src), at(dest), options);

const nothing: readonly string[] = [];

const copies: readonly ExtraCase[] = [
  { name: 'copy: a file', tree: ['a = x'], call: copy('a', 'n/b'), changes: ['+ n/b = x'] },
  {
    name: 'copy: a directory, without being told to recurse',
    tree: ['a/b = x', 'a/c/d = y', 'a/e/'],
    call: copy('a', 'n/z'),
    changes: ['+ n/z/b = x', '+ n/z/c/d = y', '+ n/z/e/'],
  },
  {
    name: 'copy: into a directory that is there',
    tree: ['a/b = x', 'z/b = y', 'z/c = y'],
    call: copy('a', 'z'),
    changes: ['- z/b = y', '+ z/b = x'],
  },
  {
    name: 'copy: overwrite: false keeps',
    tree: ['a = x', 'b = y'],
    call: copy('a', 'b', { overwrite: false }),
    changes: nothing,
  },
  {
    name: 'copy: clobber: false keeps',
    tree: ['a = x', 'b = y'],
    call: copy('a', 'b', { clobber: false }),
    changes: nothing,
  },
  {
    name: 'copy: errorOnExist',
    tree: ['a = x', 'b = y'],
    call: copy('a', 'b', { overwrite: false, errorOnExist: true }),
    error: /^'\$\/b' already exists$/,
    changes: nothing,
  },
  { name: 'copy: nothing', tree: [], call: copy('a', 'b'), error: /^ENOENT: /, changes: nothing },
  {
    name: 'copy: onto itself',
    tree: ['a = x'],
    call: copy('a', 'a'),
    error: /^Source and destination must not be the same\.$/,
    changes: nothing,
  },
  {
    name: 'copy: into itself',
    tree: ['a/b = x'],
    call: copy('a', 'a/c/d'),
    error: /^Cannot copy '\$\/a' to a subdirectory of itself, '\$\/a\/c\/d'\.$/,
    changes: nothing,
  },
  {
    name: 'copy: a directory over a file',
    tree: ['a/b = x', 'c = y'],
    call: copy('a', 'c'),
    error: /^Cannot overwrite non-directory '\$\/c' with directory '\$\/a'\.$/,
    changes: nothing,
  },
  {
    name: 'copy: a file over a directory',
    tree: ['a = x', 'c/d = y'],
    call: copy('a', 'c'),
    error: /^Cannot overwrite directory '\$\/c' with non-directory '\$\/a'\.$/,
    changes: nothing,
  },
  {
    name: 'copy: a FIFO',
    tree: ['a |'],
    call: copy('a', 'b'),
    error: /^Cannot copy a FIFO pipe: \$\/a$/,
    changes: nothing,
  },
  {
    name: 'copy: symlinks as they are',
    tree: ['a/b = x', 'a/link -> b'],
    call: copy('a', 'z'),
    changes: ['+ z/b = x', '+ z/link -> b'],
  },
  {
    name: 'copy: dereference',
    tree: ['o = x', 'a/link -> ../o'],
    call: copy('a', 'z', { dereference: true }),
    changes: ['+ z/link = x'],
  },
  {
    name: 'copy: a symlink over another',
    tree: ['a -> x', 'b -> y'],
    call: copy('a', 'b'),
    changes: ['- b -> y', '+ b -> x'],
  },
  { name: 'copy: a symlink over the same', tree: ['a -> x', 'b -> x'], call: copy('a', 'b'), changes: nothing },
  {
    name: 'copy: a symlink over a file',
    tree: ['a -> x', 'b = y'],
    call: copy('a', 'b'),
    error: /^EEXIST: /,
    changes: nothing,
  },
  {
    name: 'copy: a filter',
    tree: ['a/b = x', 'a/c = x'],
    call: copy('a', 'z', { filter: (src) => !src.endsWith('c') }),
    changes: ['+ z/b = x'],
  },
];

const moves: readonly ExtraCase[] = [
  { name: 'move: a file', tree: ['a = x'], call: move('a', 'n/e/b'), changes: ['- a = x', '+ n/e/b = x'] },
  { name: 'move: a directory', tree: ['a/b = x'], call: move('a', 'z'), changes: ['- a/b = x', '+ z/b = x'] },
  { name: 'move: a symlink', tree: ['a -> x'], call: move('a', 'b'), changes: ['- a -> x', '+ b -> x'] },
  {
    name: 'move: over a file',
    tree: ['a = x', 'b = y'],
    call: move('a', 'b'),
    error: /^dest already exists\.$/,
    changes: nothing,
  },
  {
    name: 'move: over a directory',
    tree: ['a/b = x', 'c/d = y'],
    call: move('a', 'c'),
    error: /^dest already exists\.$/,
    changes: nothing,
  },
  {
    name: 'move: overwrite a file',
    tree: ['a = x', 'b = y'],
    call: move('a', 'b', { overwrite: true }),
    changes: ['- a = x', '- b = y', '+ b = x'],
  },
  {
    name: 'move: clobber a file',
    tree: ['a = x', 'b = y'],
    call: move('a', 'b', { clobber: true }),
    changes: ['- a = x', '- b = y', '+ b = x'],
  },
  {
    name: 'move: overwrite a directory, with all it held',
    tree: ['a/b = x', 'c/d/e = y'],
    call: move('a', 'c', { overwrite: true }),
    changes: ['- a/b = x', '- c/d/e = y', '+ c/b = x'],
  },
  {
    name: 'move: a directory over a file',
    tree: ['a/b = x', 'c = y'],
    call: move('a', 'c', { overwrite: true }),
    error: /^Cannot overwrite non-directory '\$\/c' with directory '\$\/a'\.$/,
    changes: nothing,
  },
  {
    name: 'move: a file over a directory',
    tree: ['a = x', 'c/d = y'],
    call: move('a', 'c', { overwrite: true }),
    error: /^Cannot overwrite directory '\$\/c' with non-directory '\$\/a'\.$/,
    changes: nothing,
  },
  {
    name: 'move: onto itself',
    tree: ['a = x'],
    call: move('a', 'a', { overwrite: true }),
    error: /^Source and destination must not be the same\.$/,
    changes: nothing,
  },
  {
    name: 'move: into itself',
    tree: ['a/b = x'],
    call: move('a', 'a/c/d'),
    error: /^Cannot move '\$\/a' to a subdirectory of itself, '\$\/a\/c\/d'\.$/,
    changes: nothing,
  },
  {
    name: 'move: into itself, by way of a symlink',
    tree: ['a/b = x', 'l -> a'],
    call: move('a', 'l/c'),
    error: /^Cannot move '\$\/a' to a subdirectory of itself, '\$\/l\/c'\.$/,
    changes: nothing,
  },
  { name: 'move: nothing', tree: [], call: move('a', 'b'), error: /^ENOENT: /, changes: nothing },
  { name: 'move: a FIFO', tree: ['a |'], call: move('a', 'b'), changes: ['- a |', '+ b |'] },
];

const others: readonly ExtraCase[] = [
  { name: 'remove: a file', tree: ['a = x'], call: (fs, at) => fs.remove(at('a')), changes: ['- a = x'] },
  {
    name: 'remove: a directory with all it holds',
    tree: ['a/b/c = x', 'a/d/', 'e = y'],
    call: (fs, at) => fs.remove(at('a')),
    changes: ['- a/b/c = x', '- a/d/'],
  },
  {
    name: 'remove: a symlink, not its target',
    tree: ['a/b = x', 'l -> a'],
    call: (fs, at) => fs.remove(at('l')),
    changes: ['- l -> a'],
  },
  { name: 'remove: nothing', tree: ['a = x'], call: (fs, at) => fs.remove(at('b')), changes: nothing },
  { name: 'remove: nothing, in nothing', tree: ['a = x'], call: (fs, at) => fs.remove(at('b/c')), changes: nothing },
  {
    name: 'emptyDir: a directory',
    tree: ['a/b/c = x', 'a/d = y'],
    call: (fs, at) => fs.emptyDir(at('a')),
    changes: ['- a/b/c = x', '- a/d = y', '+ a/'],
  },
  { name: 'emptyDir: one that is not there', tree: [], call: (fs, at) => fs.emptyDir(at('a/b')), changes: ['+ a/b/'] },
  {
    name: 'emptyDir: by way of a symlink',
    tree: ['a/b = x', 'l -> a'],
    call: (fs, at) => fs.emptyDir(at('l')),
    changes: ['- a/b = x', '+ a/'],
  },
  {
    name: 'emptyDir: a file',
    tree: ['a = x'],
    call: (fs, at) => fs.emptyDir(at('a')),
    error: /^ENOTDIR: /,
    changes: nothing,
  },
  {
    name: 'ensureDir: one that is not there',
    tree: [],
    call: (fs, at) => fs.ensureDir(at('a/b/c')),
    changes: ['+ a/b/c/'],
  },
  {
    name: 'ensureDir: one that is there',
    tree: ['a/b = x'],
    call: (fs, at) => fs.ensureDir(at('a')),
    changes: nothing,
  },
  {
    name: 'ensureDir: a symlink to one',
    tree: ['a/b = x', 'l -> a'],
    call: (fs, at) => fs.ensureDir(at('l')),
    changes: nothing,
  },
  {
    name: 'ensureDir: below a symlink to one',
    tree: ['a/b = x', 'l -> a'],
    call: (fs, at) => fs.ensureDir(at('l/c/d')),
    changes: ['+ a/c/d/'],
  },
  {
    name: 'ensureDir: a file',
    tree: ['a = x'],
    call: (fs, at) => fs.ensureDir(at('a')),
    error: /^EEXIST: /,
    changes: nothing,
  },
  {
    name: 'ensureDir: below a file',
    tree: ['a = x'],
    call: (fs, at) => fs.ensureDir(at('a/b')),
    error: /^ENOTDIR: /,
    changes: nothing,
  },
];

export const cases: readonly ExtraCase[] = [...copies, ...moves, ...others];
