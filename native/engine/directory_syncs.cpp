#include "engine/directory_syncs.h"

#include "sys/data.h"
#include "sys/stat.h"

namespace dfd {

Status DirectorySyncs::sync(Dirfd fd) {
  auto st = sys::fstat(fd);
  if (!st) return st.error();
  Key key{st->st_dev, st->st_ino};
  std::unique_lock lock(mutex_);
  Directory& directory = directories_[key];
  directory.callers++;
  bool leads = !directory.next;
  if (leads) directory.next = std::make_shared<Round>();
  auto round = directory.next;
  if (leads) {
    round->outcome = lead(lock, directory, round, fd);
  } else {
    ended_.wait(lock, [&] { return round->done; });
  }
  Status outcome = round->outcome;
  if (--directory.callers == 0) directories_.erase(key);
  return outcome;
}

Status DirectorySyncs::lead(std::unique_lock<std::mutex>& lock, Directory& directory,
                            const std::shared_ptr<Round>& round, Dirfd fd) {
  ended_.wait(lock, [&] { return !directory.running; });
  directory.running = true;
  directory.next.reset();  // who comes from now on is not covered
  lock.unlock();
  Status outcome = sys::fsync(fd);
  lock.lock();
  directory.running = false;
  round->outcome = outcome;
  round->done = true;
  ended_.notify_all();
  return outcome;
}

}  // namespace dfd
