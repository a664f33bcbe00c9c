// The arrows of DESIGN.md as data, and the functions that find what points the wrong way.

import { posix } from 'node:path';

export interface Violation {
  readonly file: string;
  readonly why: string;
}

/** Folders and files of lib/. They may import from lower ranks and from their own area, never across or up. */
const libRanks: Readonly<Record<string, number>> = {
  native: 0,
  errors: 1,
  ...{ capabilities: 2, dirfd: 2, 'operation-errors': 2 },
  ...{ walk: 3, audit: 3, constraint: 3 },
  lock: 4,
  ...{ copy: 5, atomic: 5 },
  transaction: 6,
  ...{ backup: 7, fs: 7, store: 7 },
  safe: 8,
  index: 9,
  main: 10,
  cli: 11,
};

const nativeRanks: Readonly<Record<string, number>> = { sys: 0, ops: 1, engine: 2, binding: 3, addon: 4 };

/** What a command may import: its neighbours and what a user can import. */
const publicModules = /^((main|index)|[a-z]+\/(main|index))\.js$/;

/** `file` is relative to lib/. */
export function libViolations(file: string, text: string): Violation[] {
  const area = areaOf(file);
  return [...text.matchAll(/(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g)].flatMap(([, specifier]) => {
    const target = posix.join(posix.dirname(file), specifier!);
    const why = wrongArrow(libRanks, area, areaOf(target)) ?? privateImport(area, target);
    return why === undefined ? [] : [{ file, why: `${why}: imports ${target}` }];
  });
}

/** `file` is relative to native/, as the includes are. */
export function nativeViolations(file: string, text: string): Violation[] {
  const area = areaOf(file);
  const includes = [...text.matchAll(/^\s*#\s*include\s*(["<])([^">]+)[">]/gm)];
  return includes.flatMap(([, quote, header]) => {
    const isNodeApi = /^(napi|node_api|js_native_api|node|uv|v8)[\w-]*\.h$/.test(header!);
    const why =
      quote === '"'
        ? wrongArrow(nativeRanks, area, areaOf(header!))
        : isNodeApi && nativeRanks[area]! < nativeRanks.binding!
          ? 'Node-API belongs in native/binding and native/addon.cpp'
          : undefined;
    return why === undefined ? [] : [{ file, why: `${why}: includes ${header}` }];
  });
}

/** The symbols among `undefinedSymbols` (of one object file) by which libc enters the kernel for files. */
export function syscallSymbols(undefinedSymbols: readonly string[]): string[] {
  return undefinedSymbols.filter((symbol) =>
    syscalls.has(symbol.replace(/^__(.*)_(chk|2)$/, '$1').replace(/64(_2)?$/, '')),
  );
}

/** walk/entry.ts → walk, errors.ts → errors, sys/fd.h → sys */
export function areaOf(file: string): string {
  const [first, ...rest] = file.split('/');
  return rest.length > 0 ? first! : first!.replace(/\.\w+$/, '');
}

function wrongArrow(ranks: Readonly<Record<string, number>>, from: string, to: string): string | undefined {
  const [source, target] = [ranks[from], ranks[to]];
  if (source === undefined) return `${from} has no place in test/repository/layers.ts`;
  if (target === undefined) return `${to} has no place in test/repository/layers.ts`;
  return from === to || target < source ? undefined : `${from} may not know ${to}`;
}

function privateImport(from: string, target: string): string | undefined {
  if (from !== 'cli' || areaOf(target) === 'cli' || publicModules.test(target)) return undefined;
  return 'a command imports only what a user can import';
}

const syscalls = new Set(
  `syscall open openat openat2 creat close close_range read readv pread preadv write writev pwrite pwritev lseek stat fstat lstat
  fstatat statx statfs fstatfs access faccessat mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink
  symlinkat readlink readlinkat chmod fchmod fchmodat chown fchown lchown fchownat utimensat futimens mknod mknodat mkfifo mkfifoat
  truncate ftruncate fallocate posix_fallocate copy_file_range sendfile splice ioctl fcntl flock fsync fdatasync sync syncfs getdents
  opendir fdopendir readdir scandir getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr
  removexattr lremovexattr fremovexattr umask unshare dup dup2 dup3 pipe pipe2 fopen fdopen mmap`.split(/\s+/),
);
