// The floor: openat, getdents64 and one full statx an entry, on THREADS threads, and nothing else.
//     bare_walk [--list] DIRECTORY [THREADS]
// Prints the job's seconds as JSON; with --list also "path\0size\0mode\n" for every entry.
// A directory's subdirectories are pushed at once.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct directory {
  struct directory* next;
  struct directory* parent;
  int users;    // children that are not closed yet, and one for itself
  int fd;       // open while children may still be opened from it
  char path[];  // below the root, "" for the root
};

#include "directory_stack.h"

static int listing;
static int root_fd;

static void die(const char* what, const char* name) {
  fprintf(stderr, "bare_walk: %s %s: %s\n", what, name, strerror(errno));
  exit(1);
}

static struct directory* new_directory(struct directory* parent, const char* name) {
  size_t before = parent == NULL ? 0 : strlen(parent->path);
  size_t length = strlen(name);
  struct directory* made = malloc(sizeof *made + before + length + 2);
  *made = (struct directory){.parent = parent, .fd = -1, .users = 1};
  if (before > 0) {
    memcpy(made->path, parent->path, before);
    made->path[before++] = '/';
  }
  memcpy(made->path + before, name, length + 1);
  return made;
}

// The last path component is all that is opened: from the parent's fd, which its children keep open.
static void open_directory(struct directory* self) {
  const char* slash = strrchr(self->path, '/');
  const char* name = slash == NULL ? self->path : slash + 1;
  if (self->parent == NULL)
    self->fd = root_fd;
  else
    self->fd = openat(self->parent->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (self->fd < 0) die("open", self->path);
}

static void release(struct directory* self) {
  while (self != NULL && is_last_user(self)) {
    struct directory* parent = self->parent;
    close(self->fd);
    free(self);
    self = parent;
  }
}

static void list(const struct directory* self, const char* name, const struct statx* found) {
  flockfile(stdout);
  printf("%s%s%s%c%llu%c%o\n", self->path, self->path[0] == '\0' ? "" : "/", name, 0,
         (unsigned long long)found->stx_size, 0, found->stx_mode & 07777);
  funlockfile(stdout);
}

static size_t read_directory(struct directory* self, char* buffer) {
  size_t entries = 0;
  struct batch below = {NULL, NULL, 0};
  open_directory(self);
  for (;;) {
    long length = syscall(SYS_getdents64, self->fd, buffer, getdents_bytes);
    if (length < 0) die("getdents64", self->path);
    if (length == 0) break;
    for (long at = 0; at < length;) {
      struct dirent64* entry = (struct dirent64*)(buffer + at);
      at += entry->d_reclen;
      const char* name = entry->d_name;
      if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))) continue;
      struct statx found;
      if (statx(self->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME, &found) != 0)
        die("statx", name);
      entries++;
      if (listing) list(self, name, &found);
      if (!S_ISDIR(found.stx_mode)) continue;
      gather(&below, self, new_directory(self, name));
    }
  }
  push(&below);
  release(self);
  return entries;
}

static void* work(void* unused) {
  (void)unused;
  char* buffer = malloc(getdents_bytes);
  size_t entries = 0;
  for (struct directory* taken; (taken = take()) != NULL; finish()) entries += read_directory(taken, buffer);
  free(buffer);
  return (void*)entries;
}

int main(int argc, char** argv) {
  listing = argc > 1 && strcmp(argv[1], "--list") == 0;
  if (argc < 2 + listing) return 2;
  const char* path = argv[1 + listing];
  int threads = argc > 2 + listing ? atoi(argv[2 + listing]) : 2;
  if (threads < 1 || threads > most_threads) return 2;

  double started = now();
  root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root_fd < 0) die("open", path);
  struct directory* root = new_directory(NULL, "");
  push(&(struct batch){root, root, 1});
  size_t entries = run_threads(threads, work);
  fprintf(stderr, "{\"job\":%.6f,\"entries\":%zu}\n", now() - started, entries);
  return 0;
}
