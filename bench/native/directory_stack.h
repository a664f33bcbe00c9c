// One stack of directories under one lock, and threads that take from it until none is left: what the floors of a walk and of a copy share.
// The including program defines `struct directory` before, with the members
//
//   struct directory *next;     of the stack
//   struct directory *parent;   NULL for the root
//   int users;                  children that are not done, and one for itself
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { most_threads = 64, getdents_bytes = 64 * 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct directory* stack;
static size_t unfinished;  // directories on the stack or at work

// Subdirectories of one directory, gathered to be pushed at once.
struct batch {
  struct directory *first, *last;
  size_t count;
};

static void gather(struct batch* batch, struct directory* parent, struct directory* child) {
  __atomic_add_fetch(&parent->users, 1, __ATOMIC_RELAXED);
  child->next = batch->first;
  batch->first = child;
  if (batch->last == NULL) batch->last = child;
  batch->count++;
}

static void push(const struct batch* batch) {
  if (batch->count == 0) return;
  pthread_mutex_lock(&lock);
  batch->last->next = stack;
  stack = batch->first;
  unfinished += batch->count;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static int is_last_user(struct directory* self) { return __atomic_sub_fetch(&self->users, 1, __ATOMIC_ACQ_REL) == 0; }

static struct directory* take(void) {
  pthread_mutex_lock(&lock);
  while (stack == NULL && unfinished > 0) pthread_cond_wait(&changed, &lock);
  struct directory* taken = stack;
  if (taken != NULL) stack = taken->next;
  pthread_mutex_unlock(&lock);
  return taken;
}

static void finish(void) {
  pthread_mutex_lock(&lock);
  if (--unfinished == 0) pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

// Runs `work` on that many threads, this one among them, and adds up what they return.
static size_t run_threads(int threads, void* (*work)(void*)) {
  pthread_t running[most_threads];
  for (int i = 1; i < threads; i++) pthread_create(&running[i], NULL, work, NULL);
  size_t sum = (size_t)work(NULL);
  for (int i = 1; i < threads; i++) {
    void* more;
    pthread_join(running[i], &more);
    sum += (size_t)more;
  }
  return sum;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}
