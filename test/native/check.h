// The little that a native test needs: a check that says where it failed, and a directory that goes away. One program a file,
// exit code 0 is a pass; built by CMakeLists.txt plain, under ASan+UBSan and under TSan.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <source_location>
#include <string>

#include "sys/open.h"

namespace dfd::test {

inline void check(bool holds, const char* what, std::source_location at = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: %s does not hold\n", at.file_name(), static_cast<unsigned>(at.line()), what);
  std::exit(1);
}

#define CHECK(...) ::dfd::test::check(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__)

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/dirfd-native-XXXXXX";
    CHECK(::mkdtemp(path_.data()) != nullptr);
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  UniqueFd open() const { return sys::open_root(path_.c_str(), O_DIRECTORY | O_RDONLY).value(); }

 private:
  std::string path_;
};

}  // namespace dfd::test
