// Writes one of the bench corpora into an empty directory, the same bytes for the same seed and scale.
//     make_corpus small|wide|large|deep|many|linked DIRECTORY SCALE
//
//   small  T1: 110,000 entries in 10,000 directories; log-normal sizes, median 2 KiB, about 680 MB;
//          2 % symlinks, 1 % hard links, a few modes, times with nanoseconds
//   wide   T2: 200,000 empty files in one directory
//   large  T3: four files of 1 GiB and a sparse one of 4 GiB that holds 64 MiB
//   deep   T4: a chain of 200 directories with ten small files in each
//   many   1,000,000 empty files, a hundred in each of 10,000 directories
//   linked 1,000,000 names of 500,000 empty files: as many, but the second half of the directories has further names of the first's files
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { mebibyte = 1 << 20, most_bytes_of_a_small_file = 4 * mebibyte };

static const uint64_t seed = 0x64697266645f5431;
static uint64_t state;
static char noise[most_bytes_of_a_small_file];

static void die(const char* what, const char* name) {
  fprintf(stderr, "make_corpus: %s %s: %s\n", what, name, strerror(errno));
  exit(1);
}

// splitmix64: small, and good enough for sizes and names.
static uint64_t next(void) {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

static uint64_t below(uint64_t limit) { return next() % limit; }

static double uniform(void) { return ((double)(next() >> 11) + 0.5) / 9007199254740992.0; }

static size_t log_normal_size(void) {
  double normal = sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
  double size = 2048 * exp(1.5 * normal);
  return size > most_bytes_of_a_small_file ? most_bytes_of_a_small_file : (size_t)size;
}

static int make_directory(int parent, const char* name) {
  if (mkdirat(parent, name, 0755) != 0) die("mkdir", name);
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) die("open", name);
  return fd;
}

static void set_times(int fd) {
  struct timespec past = {.tv_sec = 1500000000 + (time_t)below(200000000), .tv_nsec = (long)below(1000000000)};
  struct timespec times[2] = {past, past};
  if (futimens(fd, times) != 0) die("utimens", "");
}

static void make_file(int parent, const char* name, size_t size, mode_t mode) {
  int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) die("create", name);
  size_t start = size < sizeof noise ? below(sizeof noise - size) : 0;
  if (size > 0 && write(fd, noise + start, size) != (ssize_t)size) die("write", name);
  set_times(fd);
  close(fd);
}

static mode_t usual_mode(void) {
  uint64_t percent = below(100);
  return percent < 80 ? 0644 : percent < 95 ? 0755 : 0600;
}

// Every directory gets a parent among those made before it; the later half of them lies deeper.
static void make_small(int root, double scale) {
  size_t directories = (size_t)(10000 * scale), entries = (size_t)(110000 * scale);
  if (directories == 0) directories = 1;
  char(*paths)[256] = calloc(directories, sizeof *paths);
  strcpy(paths[0], ".");
  for (size_t i = 1; i < directories; i++) {
    const char* parent = paths[below(i)];
    if (strlen(parent) > 80) parent = paths[0];  // some eight levels, as source trees have
    snprintf(paths[i], sizeof paths[i], "%s/dir-%zu", parent, i);
    if (mkdirat(root, paths[i], 0755) != 0) die("mkdir", paths[i]);
  }
  char last[300] = "";
  for (size_t i = 0; i < entries; i++) {
    char path[300];
    const char* directory = paths[below(directories)];
    uint64_t percent = below(100);
    if (percent < 2) {
      snprintf(path, sizeof path, "%s/link-%06zu", directory, i);
      if (symlinkat("../somewhere/else", root, path) != 0) die("symlink", path);
    } else if (percent < 3 && last[0] != '\0') {
      snprintf(path, sizeof path, "%s/again-%06zu", directory, i);
      if (linkat(root, last, root, path, 0) != 0) die("link", path);
    } else {
      snprintf(path, sizeof path, "%s/file-%06zu.txt", directory, i);
      make_file(root, path, log_normal_size(), usual_mode());
      strcpy(last, path);
    }
  }
  for (size_t i = directories; i-- > 0;) {
    int fd = openat(root, paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) die("open", paths[i]);
    set_times(fd);
    close(fd);
  }
  free(paths);
}

static void make_wide(int root, double scale) {
  int fd = make_directory(root, "wide");
  size_t files = (size_t)(200000 * scale);
  for (size_t i = 0; i < files; i++) {
    char name[64];
    snprintf(name, sizeof name, "file-%08zu-%04x", i, (unsigned)below(65536));
    make_file(fd, name, 0, 0644);
  }
  close(fd);
}

static void write_all(int fd, off_t offset, off_t length) {
  while (length > 0) {
    size_t chunk = length < (off_t)sizeof noise ? (size_t)length : sizeof noise;
    ssize_t written = pwrite(fd, noise, chunk, offset);
    if (written <= 0) die("write", "large file");
    offset += written;
    length -= written;
  }
}

static void make_large(int root, double scale) {
  off_t size = (off_t)(1024 * scale) * mebibyte;
  for (int i = 0; i < 4; i++) {
    char name[32];
    snprintf(name, sizeof name, "large-%d", i);
    int fd = openat(root, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) die("create", name);
    write_all(fd, 0, size);
    close(fd);
  }
  int fd = openat(root, "sparse", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0 || ftruncate(fd, 4 * size) != 0) die("create", "sparse");
  for (int i = 0; i < 64 && size > 0; i++) write_all(fd, i * (size / 16), mebibyte);
  close(fd);
}

static void make_deep(int root, double scale) {
  int depth = (int)(200 * scale), parent = dup(root);
  for (int level = 0; level < depth; level++) {
    char name[64];
    snprintf(name, sizeof name, "level-%03d", level);
    int fd = make_directory(parent, name);
    close(parent);
    for (int i = 0; i < 10; i++) {
      snprintf(name, sizeof name, "file-%d", i);
      make_file(fd, name, below(4096), 0644);
    }
    parent = fd;
  }
  close(parent);
}

static void make_many(int root, double scale) {
  size_t directories = (size_t)(10000 * scale);
  for (size_t i = 0; i < directories; i++) {
    char name[64];
    snprintf(name, sizeof name, "directory-%05zu", i);
    int fd = make_directory(root, name);
    for (int file = 0; file < 100; file++) {
      snprintf(name, sizeof name, "file-%02d", file);
      make_file(fd, name, 0, 0644);
    }
    close(fd);
  }
}

static void make_linked(int root, double scale) {
  size_t half = (size_t)(5000 * scale);
  make_many(root, scale / 2);
  for (size_t i = 0; i < half; i++) {
    char first[64], further[64];
    snprintf(further, sizeof further, "further-%05zu", i);
    close(make_directory(root, further));
    for (int file = 0; file < 100; file++) {
      snprintf(first, sizeof first, "directory-%05zu/file-%02d", i, file);
      snprintf(further, sizeof further, "further-%05zu/file-%02d", i, file);
      if (linkat(root, first, root, further, 0) != 0) die("link", further);
    }
  }
}

int main(int argc, char** argv) {
  double scale = argc == 4 ? atof(argv[3]) : 0;
  int root = argc == 4 ? open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (scale <= 0 || root < 0) {
    fprintf(stderr, "usage: make_corpus small|wide|large|deep|many|linked DIRECTORY SCALE\n");
    return 2;
  }
  umask(0);
  state = seed;
  for (size_t i = 0; i < sizeof noise; i += 8) {
    uint64_t word = next();
    memcpy(noise + i, &word, sizeof word);
  }
  if (strcmp(argv[1], "small") == 0)
    make_small(root, scale);
  else if (strcmp(argv[1], "wide") == 0)
    make_wide(root, scale);
  else if (strcmp(argv[1], "large") == 0)
    make_large(root, scale);
  else if (strcmp(argv[1], "deep") == 0)
    make_deep(root, scale);
  else if (strcmp(argv[1], "many") == 0)
    make_many(root, scale);
  else if (strcmp(argv[1], "linked") == 0)
    make_linked(root, scale);
  else
    return 2;
  return 0;
}
