// Many small durable writes: each file made, written, fsync'ed and closed, by threads or with the fsyncs on a ring.
//     ring_fsync DIRECTORY FILES threads|ring|chain COUNT
//
//   threads   COUNT threads, each with one file at a time
//   ring      one thread that makes and writes the files by plain calls, and has up to COUNT fsyncs in flight
//   chain     the same, but each file is a chain on the ring: create → write → fsync → close, COUNT of them at a time
//
// DIRECTORY is to be made. Prints the seconds and the processor seconds as JSON.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { most = 1024, content_bytes = 4000 };

static int directory;
static unsigned files, taken;  // taken: the next one that nobody writes yet
static unsigned at_a_time;
static char content[content_bytes];
static int chained;

static void die(const char* what, int err) {
  fprintf(stderr, "ring_fsync: %s: %s\n", what, strerror(err));
  exit(1);
}

static unsigned take(void) { return __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED); }

static const int create_flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

static int written(unsigned number) {
  char name[16];
  snprintf(name, sizeof name, "%u", number);
  int fd = openat(directory, name, create_flags | O_CLOEXEC, 0600);
  if (fd < 0) die("create", errno);
  if (write(fd, content, content_bytes) != content_bytes) die("write", errno);
  return fd;
}

static void* work(void* unused) {
  for (unsigned number; (number = take()) < files;) {
    int fd = written(number);
    if (fsync(fd) != 0) die("fsync", errno);
    close(fd);
  }
  return unused;
}

static void on_threads(void) {
  pthread_t running[most];
  for (unsigned i = 1; i < at_a_time; i++) pthread_create(&running[i], NULL, work, NULL);
  work(NULL);
  for (unsigned i = 1; i < at_a_time; i++) pthread_join(running[i], NULL);
}

struct slot {
  int fd;
  unsigned pending;
  char name[16];
};

static void add(struct io_uring_sqe* sqe, unsigned at, struct slot* slot, unsigned flags) {
  io_uring_sqe_set_data64(sqe, at);
  sqe->flags |= flags;
  slot->pending++;
}

static void begin(struct io_uring* ring, struct slot* slot, unsigned at, unsigned number) {
  struct io_uring_sqe* sqe;
  if (!chained) {
    slot->fd = written(number);
    io_uring_prep_fsync(sqe = io_uring_get_sqe(ring), slot->fd, 0);
    add(sqe, at, slot, 0);
    return;
  }
  snprintf(slot->name, sizeof slot->name, "%u", number);
  io_uring_prep_openat_direct(sqe = io_uring_get_sqe(ring), directory, slot->name, create_flags, 0600, at);
  add(sqe, at, slot, IOSQE_IO_LINK);
  io_uring_prep_write(sqe = io_uring_get_sqe(ring), (int)at, content, content_bytes, 0);
  add(sqe, at, slot, IOSQE_IO_LINK | IOSQE_FIXED_FILE);
  io_uring_prep_fsync(sqe = io_uring_get_sqe(ring), (int)at, 0);
  add(sqe, at, slot, IOSQE_IO_LINK | IOSQE_FIXED_FILE);
  io_uring_prep_close_direct(sqe = io_uring_get_sqe(ring), at);
  add(sqe, at, slot, 0);
}

static void on_ring(void) {
  struct io_uring ring;
  struct io_uring_params how = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
  int err = io_uring_queue_init_params(4 * at_a_time, &ring, &how);
  if (err == 0) err = io_uring_register_files_sparse(&ring, at_a_time);
  if (err != 0) die("no ring", -err);
  io_uring_register_iowq_max_workers(&ring, (unsigned[]){at_a_time, at_a_time});
  struct slot* slots = calloc(at_a_time, sizeof *slots);
  unsigned number, busy = 0;
  for (unsigned at = 0; at < at_a_time && (number = take()) < files; at++, busy++) begin(&ring, &slots[at], at, number);
  while (busy > 0) {
    err = io_uring_submit_and_wait(&ring, 1);
    if (err < 0 && err != -EINTR) die("submit", -err);
    for (struct io_uring_cqe* cqe; io_uring_peek_cqe(&ring, &cqe) == 0;) {
      unsigned at = (unsigned)cqe->user_data;
      if (cqe->res < 0) die("request", -cqe->res);
      io_uring_cqe_seen(&ring, cqe);
      if (--slots[at].pending > 0) continue;
      if (!chained) close(slots[at].fd);
      if ((number = take()) < files)
        begin(&ring, &slots[at], at, number);
      else
        busy--;
    }
  }
  io_uring_queue_exit(&ring);
}

static double seconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  files = (unsigned)atoi(argv[2]);
  at_a_time = (unsigned)atoi(argv[4]);
  if (at_a_time < 1 || at_a_time > most) return 2;
  chained = strcmp(argv[3], "chain") == 0;
  memset(content, 'x', content_bytes);
  if (mkdir(argv[1], 0700) != 0 || (directory = open(argv[1], O_RDONLY | O_DIRECTORY)) < 0) die(argv[1], errno);

  double started = seconds(CLOCK_MONOTONIC), worked = seconds(CLOCK_PROCESS_CPUTIME_ID);
  if (strcmp(argv[3], "threads") == 0)
    on_threads();
  else
    on_ring();
  double job = seconds(CLOCK_MONOTONIC) - started, cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - worked;
  printf("{\"job\":%.6f,\"jobCpu\":%.6f,\"files\":%u}\n", job, cpu, files);
  return 0;
}
