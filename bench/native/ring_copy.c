// What a ring could gain for small files at best: the files of a tree copied by linked requests with direct descriptors, or by plain calls.
//     ring_copy SOURCE DESTINATION ring[+statx][+async]|calls THREADS [DEPTH]
//
//   ring         open → read                      then   create → write → close, close      DEPTH files at a time on each thread's ring
//   +statx       beside the read a statx, without which no mode and no time is known
//   +async       opens and reads go to a kernel thread at once: a FUSE file's read would make the submitting thread wait
//   calls        open, fstat, read, create, write, flistxattr, futimens, close, close       one file at a time on each thread
//
// The ring is favoured: it knows no flistxattr and no futimens, and leaves them out. DESTINATION is to be made. Its directories are made and all
// are opened before the clock starts. Prints the seconds and the processor seconds as JSON.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { most_threads = 256, most_depth = 1024, most_files = 1 << 20, content_bytes = 64 * 1024 };

struct file {
  int from, to;  // directories
  char* name;
};

static struct file* files;
static size_t count, taken;      // taken: the next one that nobody copies yet
static unsigned depth, at_once;  // at_once: IOSQE_ASYNC or 0
static int with_statx;

static void die(const char* what, const char* name, int err) {
  fprintf(stderr, "ring_copy: %s %s: %s\n", what, name, strerror(err));
  exit(1);
}

static int open_directory(int at, const char* name) {
  int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) die("open", name, errno);
  return fd;
}

static void collect(int from, int to) {
  DIR* directory = fdopendir(from);
  for (struct dirent* entry; (entry = readdir(directory)) != NULL;) {
    const char* name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    if (entry->d_type == DT_REG && count < most_files)
      files[count++] = (struct file){.from = from, .to = to, .name = strdup(name)};
    if (entry->d_type != DT_DIR) continue;
    if (mkdirat(to, name, 0700) != 0) die("mkdir", name, errno);
    collect(open_directory(from, name), open_directory(to, name));
  }
}

static struct file* take(void) {
  size_t at = __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
  return at < count ? &files[at] : NULL;
}

static const int read_flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
static const int create_flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

static void* copy_by_calls(void* unused) {
  char* buffer = aligned_alloc(4096, content_bytes);
  for (struct file* file; (file = take()) != NULL;) {
    struct stat found;
    int from = openat(file->from, file->name, read_flags | O_CLOEXEC);
    if (from < 0 || fstat(from, &found) != 0) die("open", file->name, errno);
    ssize_t length = read(from, buffer, content_bytes);
    int to = openat(file->to, file->name, create_flags | O_CLOEXEC, found.st_mode & 0777);
    if (to < 0) die("create", file->name, errno);
    if (length < 0 || write(to, buffer, (size_t)length) != length) die("copy", file->name, errno);
    if (flistxattr(from, NULL, 0) > 0) die("has attributes", file->name, ENOTSUP);
    struct timespec times[2] = {found.st_atim, found.st_mtim};
    if (futimens(to, times) != 0) die("futimens", file->name, errno);
    close(from);
    close(to);
  }
  free(buffer);
  return unused;
}

struct slot {
  struct file* file;
  unsigned pending;  // requests of its present step
  int reads;         // its present step is the first one
  int length;
  struct statx found;
};

static struct io_uring_sqe* request(struct io_uring* ring, struct slot* slots, unsigned at) {
  slots[at].pending++;
  return io_uring_get_sqe(ring);
}

// Tagged after it was prepared, which clears it. Tagged odd: its result is the length of what was read.
static void add(struct io_uring_sqe* sqe, unsigned at, int is_length, unsigned flags) {
  io_uring_sqe_set_data64(sqe, (uint64_t)at << 1 | (unsigned)is_length);
  sqe->flags |= flags;
}

static void begin(struct io_uring* ring, struct slot* slots, unsigned at, char* buffer) {
  struct slot* slot = &slots[at];
  slot->reads = 1;
  struct io_uring_sqe* sqe = request(ring, slots, at);
  io_uring_prep_openat_direct(sqe, slot->file->from, slot->file->name, read_flags, 0, 2 * at);
  add(sqe, at, 0, IOSQE_IO_LINK | at_once);
  io_uring_prep_read(sqe = request(ring, slots, at), (int)(2 * at), buffer, content_bytes, 0);
  add(sqe, at, 1, IOSQE_FIXED_FILE | at_once);
  if (!with_statx) return;
  sqe = request(ring, slots, at);
  io_uring_prep_statx(sqe, slot->file->from, slot->file->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &slot->found);
  add(sqe, at, 0, 0);
}

static void end(struct io_uring* ring, struct slot* slots, unsigned at, char* buffer) {
  struct slot* slot = &slots[at];
  slot->reads = 0;
  mode_t mode = with_statx ? slot->found.stx_mode & 0777 : 0600;
  struct io_uring_sqe* sqe = request(ring, slots, at);
  io_uring_prep_openat_direct(sqe, slot->file->to, slot->file->name, create_flags, mode, 2 * at + 1);
  add(sqe, at, 0, IOSQE_IO_LINK);
  io_uring_prep_write(sqe = request(ring, slots, at), (int)(2 * at + 1), buffer, (unsigned)slot->length, 0);
  add(sqe, at, 0, IOSQE_IO_LINK | IOSQE_FIXED_FILE);
  io_uring_prep_close_direct(sqe = request(ring, slots, at), 2 * at + 1);
  add(sqe, at, 0, 0);
  io_uring_prep_close_direct(sqe = request(ring, slots, at), 2 * at);
  add(sqe, at, 0, 0);
}

static void* copy_on_ring(void* unused) {
  struct io_uring ring;
  struct io_uring_params how = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
  int err = io_uring_queue_init_params(4 * depth, &ring, &how);
  if (err == 0) err = io_uring_register_files_sparse(&ring, 2 * depth);
  if (err != 0) die("no ring", "", -err);
  io_uring_register_iowq_max_workers(&ring, (unsigned[]){depth, depth});
  struct slot* slots = calloc(depth, sizeof *slots);
  char* buffers = aligned_alloc(4096, (size_t)depth * content_bytes);
  unsigned busy = 0, in_flight = 0;
  for (unsigned at = 0; at < depth && (slots[at].file = take()) != NULL; at++, busy++)
    begin(&ring, slots, at, buffers + (size_t)at * content_bytes), in_flight += slots[at].pending;
  while (busy > 0) {
    // A wake-up for each answer would cost as much as a call for each.
    err = io_uring_submit_and_wait(&ring, in_flight / 4 > 0 ? in_flight / 4 : 1);
    if (err < 0 && err != -EINTR) die("submit", "", -err);
    for (struct io_uring_cqe* cqe; io_uring_peek_cqe(&ring, &cqe) == 0;) {
      unsigned at = (unsigned)(cqe->user_data >> 1);
      struct slot* slot = &slots[at];
      char* buffer = buffers + (size_t)at * content_bytes;
      if (cqe->res < 0) die("request", slot->file->name, -cqe->res);
      if (cqe->user_data & 1) slot->length = cqe->res;
      io_uring_cqe_seen(&ring, cqe);
      in_flight--;
      if (--slot->pending > 0) continue;
      if (slot->reads)
        end(&ring, slots, at, buffer);
      else if ((slot->file = take()) != NULL)
        begin(&ring, slots, at, buffer);
      else
        busy--;
      in_flight += slot->pending;
    }
  }
  io_uring_queue_exit(&ring);
  return unused;
}

static double seconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  unsigned threads = (unsigned)atoi(argv[4]);
  depth = argc > 5 ? (unsigned)atoi(argv[5]) : 32;
  if (threads < 1 || threads > most_threads || depth < 1 || depth > most_depth) return 2;
  with_statx = strstr(argv[3], "+statx") != NULL;
  at_once = strstr(argv[3], "+async") != NULL ? IOSQE_ASYNC : 0;
  void* (*work)(void*) = strcmp(argv[3], "calls") == 0 ? copy_by_calls : copy_on_ring;
  umask(0);
  setrlimit(RLIMIT_NOFILE, &(struct rlimit){1 << 18, 1 << 18});
  files = malloc(most_files * sizeof *files);
  if (mkdir(argv[2], 0700) != 0) die("mkdir", argv[2], errno);
  collect(open_directory(AT_FDCWD, argv[1]), open_directory(AT_FDCWD, argv[2]));

  double started = seconds(CLOCK_MONOTONIC), worked = seconds(CLOCK_PROCESS_CPUTIME_ID);
  pthread_t running[most_threads];
  for (unsigned i = 1; i < threads; i++) pthread_create(&running[i], NULL, work, NULL);
  work(NULL);
  for (unsigned i = 1; i < threads; i++) pthread_join(running[i], NULL);
  double job = seconds(CLOCK_MONOTONIC) - started, cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - worked;
  printf("{\"job\":%.6f,\"jobCpu\":%.6f,\"files\":%zu}\n", job, cpu, count);
  return 0;
}
