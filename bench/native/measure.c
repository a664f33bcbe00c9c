// Runs one trial and writes what it cost, as JSON, to a file: wall and CPU seconds, peak resident set.
//     measure RESULT COMMAND ARG...
// wait4(2) counts the command and all descendants it waited for, so a pipeline run by sh counts whole.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  double started = now();
  pid_t child = fork();
  if (child == 0) {
    execvp(argv[2], argv + 2);
    fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
    _exit(127);
  }
  int status = 0;
  struct rusage usage;
  if (child < 0 || wait4(child, &status, 0, &usage) < 0) return 126;
  double wall = now() - started;
  FILE* result = fopen(argv[1], "w");
  if (result == NULL) return 126;
  fprintf(result, "{\"wall\":%.6f,\"user\":%.6f,\"system\":%.6f,\"peakKiB\":%ld}\n", wall, seconds(usage.ru_utime),
          seconds(usage.ru_stime), usage.ru_maxrss);
  fclose(result);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
