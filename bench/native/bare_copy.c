// The floor of a copy: the fewest system calls that copy a tree with modes, times and symlinks, on THREADS threads, and nothing else.
//     bare_copy SOURCE DESTINATION [THREADS]
// DESTINATION is to be made. A file takes nine calls: open, fstat, read, open, write, flistxattr, futimens, close, close. Left out is what a copy
// tool may not leave out: hard links, holes, attributes, owners, special files, checks, reports. Prints the job's seconds as JSON.
// A directory's subdirectories are made and pushed at once.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { content_bytes = 256 * 1024, longest_target = 4096 };

struct directory {
  struct directory* next;
  struct directory* parent;
  int source, destination;  // open while children may still be opened from them
  int users;                // children that are not done, and one for itself
  char name[256];
};

#include "directory_stack.h"

static void die(const char* what, const char* name) {
  fprintf(stderr, "bare_copy: %s %s: %s\n", what, name, strerror(errno));
  exit(1);
}

static struct directory* new_directory(struct directory* parent, const char* name) {
  struct directory* made = malloc(sizeof *made);
  *made = (struct directory){.parent = parent, .source = -1, .destination = -1, .users = 1};
  memcpy(made->name, name, strlen(name) + 1);  // 255 bytes at most
  return made;
}

static int open_directory(int at, const char* name) {
  int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) die("open", name);
  return fd;
}

static void release(struct directory* self) {
  while (self != NULL && is_last_user(self)) {
    struct directory* parent = self->parent;
    close(self->source);
    close(self->destination);
    free(self);
    self = parent;
  }
}

static void copy_file(const struct directory* in, const char* name, char* buffer) {
  int from = openat(in->source, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat found;
  if (from < 0 || fstat(from, &found) != 0) die("open", name);
  int to = openat(in->destination, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, found.st_mode & 0777);
  if (to < 0) die("create", name);
  for (off_t left = found.st_size; left > 0;) {
    ssize_t length = read(from, buffer, left < content_bytes ? (size_t)left + 1 : content_bytes);
    if (length <= 0 || write(to, buffer, (size_t)length) != length) die("copy", name);
    left -= length;
  }
  if (flistxattr(from, NULL, 0) > 0) errno = ENOTSUP, die("has attributes", name);
  struct timespec times[2] = {found.st_atim, found.st_mtim};
  if (futimens(to, times) != 0) die("futimens", name);
  close(from);
  close(to);
}

static void copy_link(const struct directory* in, const char* name) {
  char target[longest_target];
  struct stat found;
  ssize_t length = readlinkat(in->source, name, target, sizeof target - 1);
  if (length < 0 || fstatat(in->source, name, &found, AT_SYMLINK_NOFOLLOW) != 0) die("readlinkat", name);
  target[length] = 0;
  if (symlinkat(target, in->destination, name) != 0) die("symlinkat", name);
  struct timespec times[2] = {found.st_atim, found.st_mtim};
  utimensat(in->destination, name, times, AT_SYMLINK_NOFOLLOW);
}

static void copy_directory(struct directory* self, char* names, char* buffer) {
  struct batch below = {NULL, NULL, 0};
  if (self->parent != NULL) {
    self->source = open_directory(self->parent->source, self->name);
    self->destination = open_directory(self->parent->destination, self->name);
  }
  for (long length; (length = syscall(SYS_getdents64, self->source, names, getdents_bytes)) != 0;) {
    if (length < 0) die("getdents64", self->name);
    for (long at = 0; at < length;) {
      struct dirent64* entry = (struct dirent64*)(names + at);
      at += entry->d_reclen;
      const char* name = entry->d_name;
      if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))) continue;
      if (entry->d_type == DT_REG) copy_file(self, name, buffer);
      if (entry->d_type == DT_LNK) copy_link(self, name);
      if (entry->d_type != DT_DIR) continue;
      if (mkdirat(self->destination, name, 0700) != 0) die("mkdirat", name);
      gather(&below, self, new_directory(self, name));
    }
  }
  struct stat found;
  if (fstat(self->source, &found) != 0) die("fstat", self->name);
  struct timespec times[2] = {found.st_atim, found.st_mtim};
  if (fchmod(self->destination, found.st_mode & 07777) != 0) die("fchmod", self->name);
  if (futimens(self->destination, times) != 0) die("futimens", self->name);
  push(&below);
  release(self);
}

static void* work(void* unused) {
  (void)unused;
  char* names = aligned_alloc(4096, getdents_bytes);
  char* buffer = aligned_alloc(4096, content_bytes);
  for (struct directory* taken; (taken = take()) != NULL; finish()) copy_directory(taken, names, buffer);
  free(names);
  free(buffer);
  return NULL;
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  int threads = argc > 3 ? atoi(argv[3]) : 2;
  if (threads < 1 || threads > most_threads) return 2;
  umask(0);

  double started = now();
  struct directory* root = new_directory(NULL, "");
  if (mkdir(argv[2], 0700) != 0) die("mkdir", argv[2]);
  root->source = open_directory(AT_FDCWD, argv[1]);
  root->destination = open_directory(AT_FDCWD, argv[2]);
  push(&(struct batch){root, root, 1});
  run_threads(threads, work);
  fprintf(stderr, "{\"job\":%.6f}\n", now() - started);
  return 0;
}
