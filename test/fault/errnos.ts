// With what each call may plausibly fail, by its man page and by what file systems do: the first is the one that a short sweep takes.

const ofNames = ['EIO', 'EACCES', 'ENOENT', 'ENOMEM', 'ESTALE'];
const ofChanges = ['EIO', 'EACCES', 'ENOSPC', 'EDQUOT', 'EROFS', 'EPERM'];
const ofWrites = ['EIO', 'ENOSPC', 'EDQUOT', 'EINTR', 'EFBIG'];
const ofXattrs = ['EIO', 'EACCES', 'EOPNOTSUPP', 'ENOMEM'];
const ofXattrChanges = ['EIO', 'ENOSPC', 'EPERM', 'EOPNOTSUPP', 'EDQUOT', 'E2BIG'];

const errnos: Readonly<Record<string, readonly string[]>> = {
  openat: ['EACCES', 'EIO', 'EMFILE', 'ENOENT', 'ENOMEM', 'ENOSPC', 'EROFS', 'EINTR', 'EPERM', 'ELOOP', 'EAGAIN'],
  openat2: ['EACCES', 'EIO', 'EMFILE', 'ENOENT', 'ENOMEM', 'EINTR', 'EPERM', 'EAGAIN', 'ENOSYS'],
  statx: [...ofNames, 'ENOSYS'],
  newfstatat: ofNames,
  fstat: ['EIO', 'ESTALE', 'ENOMEM'],
  fstatfs: ['EIO', 'ENOSYS'],
  statfs: ['EIO', 'ENOSYS'],
  getdents64: ['EIO', 'ENOENT', 'EINTR', 'ENOMEM'],
  readlinkat: ['EIO', 'EACCES', 'EINVAL', 'ENOENT'],
  faccessat2: ofNames,
  read: ['EIO', 'EINTR', 'ESTALE'],
  pread64: ['EIO', 'EINTR', 'ESTALE'],
  preadv: ['EIO', 'EINTR'],
  write: ofWrites,
  pwrite64: ofWrites,
  pwritev: ofWrites,
  copy_file_range: ['EIO', 'ENOSPC', 'EXDEV', 'EOPNOTSUPP', 'EINVAL', 'ENOSYS', 'EINTR', 'EPERM'],
  sendfile: ['EIO', 'EINVAL', 'ENOSPC'],
  ioctl: ['EIO', 'EOPNOTSUPP', 'ENOTTY', 'EXDEV', 'EINVAL', 'ENOSPC', 'EPERM'],
  lseek: ['EIO', 'EINVAL'],
  ftruncate: ['EIO', 'ENOSPC', 'EINTR', 'EPERM'],
  fallocate: ['EIO', 'ENOSPC', 'EOPNOTSUPP', 'EINTR'],
  fchown: ofChanges,
  fchownat: ofChanges,
  fchmod: ['EIO', 'EPERM', 'EROFS', 'EDQUOT'],
  fchmodat: ['EIO', 'EPERM', 'EROFS', 'ENOENT'],
  fchmodat2: ['EIO', 'EPERM', 'ENOSYS', 'EOPNOTSUPP'],
  utimensat: ['EIO', 'EPERM', 'EACCES', 'EROFS'],
  mkdirat: [...ofChanges, 'EMLINK', 'EEXIST', 'ENOENT'],
  mknodat: [...ofChanges, 'EEXIST'],
  symlinkat: [...ofChanges, 'EEXIST'],
  linkat: [...ofChanges, 'EMLINK', 'EXDEV', 'EEXIST', 'ENOENT'],
  renameat2: [...ofChanges, 'EINVAL', 'ENOENT', 'EXDEV', 'EBUSY'],
  renameat: [...ofChanges, 'ENOENT', 'EXDEV'],
  unlinkat: ['EIO', 'EACCES', 'EBUSY', 'EPERM', 'EROFS', 'ENOENT', 'ENOTEMPTY'],
  close: ['EIO', 'EINTR', 'ENOSPC'],
  fsync: ['EIO', 'ENOSPC', 'EDQUOT', 'EINTR', 'EROFS'],
  fdatasync: ['EIO', 'ENOSPC', 'EDQUOT', 'EINTR'],
  syncfs: ['EIO', 'ENOSPC', 'EDQUOT'],
  flistxattr: ofXattrs,
  llistxattr: ofXattrs,
  listxattrat: [...ofXattrs, 'ENOSYS'],
  fgetxattr: [...ofXattrs, 'ENODATA'],
  lgetxattr: [...ofXattrs, 'ENODATA'],
  getxattrat: [...ofXattrs, 'ENODATA', 'ENOSYS'],
  fsetxattr: ofXattrChanges,
  lsetxattr: ofXattrChanges,
  setxattrat: [...ofXattrChanges, 'ENOSYS'],
  fremovexattr: ofXattrChanges,
  lremovexattr: ofXattrChanges,
  removexattrat: [...ofXattrChanges, 'ENOSYS'],
  fcntl: ['ENOLCK', 'EINTR', 'EACCES', 'EINVAL'],
  flock: ['ENOLCK', 'EINTR'],
  fchdir: ['EACCES', 'EIO'],
  chdir: ['EIO'],
  getrandom: ['ENOSYS', 'EINTR'],
  unshare: ['EPERM', 'ENOMEM'],
  io_uring_setup: ['ENOMEM', 'EPERM', 'ENOSYS', 'EMFILE', 'EINVAL'],
  io_uring_enter: ['EAGAIN', 'EBUSY', 'EINTR', 'ENOMEM', 'EPERM'],
  io_uring_register: ['ENOMEM', 'EINVAL', 'EOPNOTSUPP'],
};

/** A call that no list knows must not go unswept: EIO is what anything may answer. */
export function errnosOf(call: string): readonly string[] {
  return errnos[call] ?? ['EIO'];
}

/**
 * Answers that are news, not failures: somebody has removed the name that was listed, or is to be removed; the file system has no attributes, or
 * the file none of this name. Who believes them has not failed, and cannot know better.
 */
export function isNews(call: string, errno: string): boolean {
  if (errno === 'ENOENT') return /^(statx|newfstatat|faccessat2|unlinkat)$/.test(call);
  if (errno === 'ENODATA' || errno === 'EOPNOTSUPP') return /^(f|l)?(list|get)xattr(at)?$/.test(call);
  return false;
}
