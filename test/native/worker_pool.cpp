// WorkerPool: every job posted runs once, whoever posts; stop() refuses, drops, cancels and joins, in that order.

#include "engine/worker_pool.h"

#include <fcntl.h>
#include <sched.h>

#include <atomic>
#include <memory>

#include "check.h"

using namespace dfd;

namespace {

void wait_until(const std::atomic<int>& counter, int value) {
  while (counter.load() < value) ::sched_yield();
}

void runs_every_job_of_every_poster() {
  constexpr int kPosters = 4, kJobs = 2000;
  WorkerPool pool(3);
  std::atomic<int> done = 0;
  {
    std::vector<Thread> posters;
    for (int i = 0; i < kPosters; i++) {
      posters.push_back(Thread::start([&] {
                          for (int job = 0; job < kJobs; job++) CHECK(pool.post([&](const WorkerContext&) { done++; }));
                        }).value());
    }
  }
  wait_until(done, kPosters * kJobs);
  CHECK(done == kPosters * kJobs);
}

void lets_jobs_post_jobs() {
  WorkerPool pool(2);
  std::atomic<int> done = 0;
  std::function<void(const WorkerContext&)> again = [&](const WorkerContext&) {
    if (++done < 500) CHECK(pool.post(again));
  };
  CHECK(pool.post(again));
  wait_until(done, 500);
}

void stop_cancels_what_runs_and_drops_what_waits() {
  WorkerPool pool(1);
  std::atomic<int> started = 0, dropped_ran = 0;
  auto held = std::make_shared<int>(0);
  CHECK(pool.post([&](const WorkerContext& context) {
    started = 1;
    while (!context.cancel.cancelled()) ::sched_yield();
  }));
  wait_until(started, 1);
  CHECK(pool.post([&, held](const WorkerContext&) { dropped_ran = 1; }));
  pool.stop();
  CHECK(dropped_ran == 0);
  CHECK(held.use_count() == 1);  // a dropped job lets go of its descriptors
  CHECK(!pool.post([](const WorkerContext&) {}));
  pool.stop();  // once more does no harm
}

void never_runs_more_at_a_time_than_the_limit_has_been() {
  constexpr int kJobs = 400;
  WorkerPool pool(1);
  std::atomic<int> done = 0, running = 0, most = 0;
  auto job = [&](const WorkerContext&) {
    int now = ++running;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) continue;
    ::sched_yield();
    running--;
    done++;
  };
  for (int i = 0; i < kJobs; i++) CHECK(pool.post(job));
  wait_until(done, kJobs);
  CHECK(most == 1);
  // The limit is moved while others post.
  {
    Thread poster = Thread::start([&] {
                      for (int i = 0; i < kJobs; i++) CHECK(pool.post(job));
                    }).value();
    for (size_t limit : {3, 0, 4, 1, 2}) pool.set_limit(limit);
  }
  wait_until(done, 2 * kJobs);
  CHECK(most <= 4);
}

void a_raised_limit_lets_jobs_run_side_by_side() {
  WorkerPool pool(1);
  pool.set_limit(3);
  std::atomic<int> met = 0;
  auto meet = [&](const WorkerContext&) {
    met++;
    wait_until(met, 3);  // each waits for the two others
  };
  for (int i = 0; i < 3; i++) CHECK(pool.post(meet));
  wait_until(met, 3);
}

void a_job_done_lets_go_of_what_it_held() {
  WorkerPool pool(1);
  auto held = std::make_shared<int>(0);
  CHECK(pool.post([held](const WorkerContext&) {}));
  while (held.use_count() > 1) ::sched_yield();
}

void a_zero_umask_is_the_workers_own() {
  mode_t before = ::umask(027);
  {
    test::TemporaryDirectory directory;
    UniqueFd root = directory.open();
    WorkerPool pool(2);
    std::atomic<int> mode = 0, done = 0;
    CHECK(pool.post([&](const WorkerContext& context) {
      if (context.umask_is_zero) {
        UniqueFd file = sys::openat(root.get(), "file", O_CREAT | O_EXCL | O_WRONLY, 0666).value();
        struct stat stat {};
        CHECK(::fstat(file.get(), &stat) == 0);
        mode = stat.st_mode & 07777;
      } else {
        mode = 0666;
      }
      done = 1;
    }));
    wait_until(done, 1);
    CHECK(mode == 0666);
  }
  CHECK(::umask(before) == 027);  // this thread's is as it was
}

}  // namespace

int main() {
  runs_every_job_of_every_poster();
  lets_jobs_post_jobs();
  stop_cancels_what_runs_and_drops_what_waits();
  never_runs_more_at_a_time_than_the_limit_has_been();
  a_raised_limit_lets_jobs_run_side_by_side();
  a_job_done_lets_go_of_what_it_held();
  a_zero_umask_is_the_workers_own();
}
