// A file system that hands everything through to a directory, and takes its time: each request waits before it is carried out, as requests to
// a server across a network do. Nothing is cached by the kernel, neither names nor attributes.
//     latency_fs DIRECTORY MICROSECONDS MOUNTPOINT [fuse options]
// Requests wait side by side, as many as there are: only whoever asks one after the other pays for each.
#define _GNU_SOURCE
#define FUSE_USE_VERSION 314
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static int root;
static char root_path[4096];
static struct timespec delay;

static void take_time(void) {
  if (delay.tv_sec != 0 || delay.tv_nsec != 0) clock_nanosleep(CLOCK_MONOTONIC, 0, &delay, NULL);
}

// FUSE's paths begin with a slash.
static const char* below(const char* path) { return path[1] != '\0' ? path + 1 : "."; }

static int answer(long result) { return result < 0 ? -errno : (int)result; }

// The xattr calls have no *at form everywhere: by an absolute path, which is ours to name.
static const char* absolute(const char* path, char buffer[8192]) {
  snprintf(buffer, 8192, "%s%s", root_path, path);
  return buffer;
}

static void* start(struct fuse_conn_info* connection, struct fuse_config* config) {
  (void)connection;
  config->use_ino = 1;
  config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
  config->hard_remove = 1;
  return NULL;
}

static int fs_getattr(const char* path, struct stat* st, struct fuse_file_info* file) {
  take_time();
  if (file) return answer(fstat((int)file->fh, st));
  return answer(fstatat(root, below(path), st, AT_SYMLINK_NOFOLLOW));
}

static int fs_readlink(const char* path, char* buffer, size_t size) {
  take_time();
  ssize_t length = readlinkat(root, below(path), buffer, size - 1);
  if (length < 0) return -errno;
  buffer[length] = '\0';
  return 0;
}

static int fs_mknod(const char* path, mode_t mode, dev_t device) {
  take_time();
  return answer(mknodat(root, below(path), mode, device));
}

static int fs_mkdir(const char* path, mode_t mode) {
  take_time();
  return answer(mkdirat(root, below(path), mode));
}

static int fs_unlink(const char* path) {
  take_time();
  return answer(unlinkat(root, below(path), 0));
}

static int fs_rmdir(const char* path) {
  take_time();
  return answer(unlinkat(root, below(path), AT_REMOVEDIR));
}

static int fs_symlink(const char* target, const char* path) {
  take_time();
  return answer(symlinkat(target, root, below(path)));
}

static int fs_rename(const char* from, const char* to, unsigned flags) {
  take_time();
  return answer(renameat2(root, below(from), root, below(to), flags));
}

static int fs_link(const char* from, const char* to) {
  take_time();
  return answer(linkat(root, below(from), root, below(to), 0));
}

static int fs_chmod(const char* path, mode_t mode, struct fuse_file_info* file) {
  take_time();
  if (file) return answer(fchmod((int)file->fh, mode));
  return answer(fchmodat(root, below(path), mode, 0));
}

static int fs_chown(const char* path, uid_t uid, gid_t gid, struct fuse_file_info* file) {
  take_time();
  if (file) return answer(fchown((int)file->fh, uid, gid));
  return answer(fchownat(root, below(path), uid, gid, AT_SYMLINK_NOFOLLOW));
}

static int fs_truncate(const char* path, off_t size, struct fuse_file_info* file) {
  take_time();
  if (file) return answer(ftruncate((int)file->fh, size));
  char buffer[8192];
  return answer(truncate(absolute(path, buffer), size));
}

static int fs_utimens(const char* path, const struct timespec times[2], struct fuse_file_info* file) {
  take_time();
  if (file) return answer(futimens((int)file->fh, times));
  return answer(utimensat(root, below(path), times, AT_SYMLINK_NOFOLLOW));
}

static int opened(int fd, struct fuse_file_info* file) {
  if (fd < 0) return -errno;
  file->fh = (uint64_t)fd;
  return 0;
}

static int fs_open(const char* path, struct fuse_file_info* file) {
  take_time();
  return opened(openat(root, below(path), file->flags & ~(O_CREAT | O_EXCL)), file);
}

static int fs_create(const char* path, mode_t mode, struct fuse_file_info* file) {
  take_time();
  return opened(openat(root, below(path), file->flags | O_CREAT, mode), file);
}

static int fs_read(const char* path, char* buffer, size_t size, off_t offset, struct fuse_file_info* file) {
  (void)path;
  take_time();
  return answer(pread((int)file->fh, buffer, size, offset));
}

static int fs_write(const char* path, const char* buffer, size_t size, off_t offset, struct fuse_file_info* file) {
  (void)path;
  take_time();
  return answer(pwrite((int)file->fh, buffer, size, offset));
}

static int fs_statfs(const char* path, struct statvfs* fs) {
  (void)path;
  take_time();
  return answer(fstatvfs(root, fs));
}

static int fs_flush(const char* path, struct fuse_file_info* file) {
  (void)path;
  (void)file;
  take_time();
  return 0;
}

static int fs_release(const char* path, struct fuse_file_info* file) {
  (void)path;
  return answer(close((int)file->fh));
}

static int fs_fsync(const char* path, int data_only, struct fuse_file_info* file) {
  (void)path;
  take_time();
  return answer(data_only ? fdatasync((int)file->fh) : fsync((int)file->fh));
}

static int fs_opendir(const char* path, struct fuse_file_info* file) {
  take_time();
  return opened(openat(root, below(path), O_RDONLY | O_DIRECTORY), file);
}

// All of it at the first call: libfuse hands it out in pieces, and only that call waits.
static int fs_readdir(const char* path, void* buffer, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info* file,
                      enum fuse_readdir_flags flags) {
  (void)path;
  (void)offset;
  (void)flags;
  take_time();
  DIR* dir = fdopendir(openat((int)file->fh, ".", O_RDONLY | O_DIRECTORY));
  if (dir == NULL) return -errno;
  for (struct dirent* entry; (entry = readdir(dir)) != NULL;) {
    struct stat st = {.st_ino = entry->d_ino, .st_mode = DTTOIF(entry->d_type)};
    if (fill(buffer, entry->d_name, &st, 0, 0) != 0) break;
  }
  closedir(dir);
  return 0;
}

static int fs_setxattr(const char* path, const char* name, const char* value, size_t size, int flags) {
  char buffer[8192];
  take_time();
  return answer(lsetxattr(absolute(path, buffer), name, value, size, flags));
}

static int fs_getxattr(const char* path, const char* name, char* value, size_t size) {
  char buffer[8192];
  take_time();
  return answer(lgetxattr(absolute(path, buffer), name, value, size));
}

static int fs_listxattr(const char* path, char* list, size_t size) {
  char buffer[8192];
  take_time();
  return answer(llistxattr(absolute(path, buffer), list, size));
}

static int fs_removexattr(const char* path, const char* name) {
  char buffer[8192];
  take_time();
  return answer(lremovexattr(absolute(path, buffer), name));
}

static const struct fuse_operations operations = {
    .init = start,
    .getattr = fs_getattr,
    .readlink = fs_readlink,
    .mknod = fs_mknod,
    .mkdir = fs_mkdir,
    .unlink = fs_unlink,
    .rmdir = fs_rmdir,
    .symlink = fs_symlink,
    .rename = fs_rename,
    .link = fs_link,
    .chmod = fs_chmod,
    .chown = fs_chown,
    .truncate = fs_truncate,
    .utimens = fs_utimens,
    .open = fs_open,
    .create = fs_create,
    .read = fs_read,
    .write = fs_write,
    .statfs = fs_statfs,
    .flush = fs_flush,
    .release = fs_release,
    .fsync = fs_fsync,
    .opendir = fs_opendir,
    .readdir = fs_readdir,
    .releasedir = fs_release,
    .setxattr = fs_setxattr,
    .getxattr = fs_getxattr,
    .listxattr = fs_listxattr,
    .removexattr = fs_removexattr,
};

int main(int argc, char** argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: latency_fs DIRECTORY MICROSECONDS MOUNTPOINT [fuse options]\n");
    return 2;
  }
  root = open(argv[1], O_RDONLY | O_DIRECTORY);
  if (root < 0 || realpath(argv[1], root_path) == NULL) {
    perror(argv[1]);
    return 1;
  }
  long microseconds = atol(argv[2]);
  delay = (struct timespec){.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000};
  umask(0);
  char* arguments[16] = {argv[0], argv[3], "-o", "max_threads=600,fsname=latency,subtype=latency"};
  int count = 4;
  for (int i = 4; i < argc && count < 15; i++) arguments[count++] = argv[i];
  return fuse_main(count, arguments, &operations, NULL);
}
