// A copy from one directory to another, as far as native code needs one: both held, and a job.
#pragma once

#include <fcntl.h>

#include <filesystem>
#include <memory>

#include "ops/copy_options.h"
#include "sys/open.h"

namespace dfd::test {

inline std::shared_ptr<CopyRun> copy_run(const std::filesystem::path& source,
                                         const std::filesystem::path& destination) {
  auto run = std::make_shared<CopyRun>();
  run->source = share(sys::open_root(source.c_str(), O_DIRECTORY | O_RDONLY).value());
  run->destination = share(sys::open_root(destination.c_str(), O_DIRECTORY | O_RDONLY).value());
  run->job = std::make_shared<Job>();
  return run;
}

}  // namespace dfd::test
