#include "ops/stat_many.h"

#include <array>
#include <cerrno>
#include <vector>

#include "ops/expected.h"
#include "sys/directory.h"
#include "sys/stat.h"

namespace dfd {

Status for_each_stat(Dirfd directory, StatMany many, const Stop& stop, const StatVisit& visit) {
  if (!many) {
    return for_each_name(directory,
                         [&](const Dirent& entry) { visit(entry, sys::statx(directory, entry.name.data())); });
  }
  alignas(8) std::array<std::byte, 32 * 1024> buffer;
  std::vector<Dirent> entries;
  for (;;) {
    auto got = sys::getdents64(directory, buffer);
    if (!got) return got.error();
    if (*got == 0) return success();
    entries.clear();
    const bool sound =
        for_each_dirent(std::span(buffer).first(*got), [&](const Dirent& entry) { entries.push_back(entry); });
    many(directory, entries, stop, visit);
    if (stop.wanted()) return failure(Call::kStatx, ECANCELED);
    if (!sound) return failure(Call::kGetdents64, EIO);
  }
}

}  // namespace dfd
