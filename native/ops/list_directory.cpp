#include "ops/list_directory.h"

#include <array>

#include "ops/dirents.h"
#include "sys/directory.h"
#include "sys/stat.h"

namespace dfd {

Result<PackedBatch> list_directory(Dirfd directory, Detail detail) {
  alignas(8) std::array<std::byte, 32 * 1024> buffer;
  BatchBuilder batch;
  batch.enter("", 1);
  for (;;) {
    auto got = sys::getdents64(directory, buffer);
    if (!got) return got.error();
    if (*got == 0) return batch.take();
    bool sound = for_each_dirent(std::span(buffer).first(*got), [&](const Dirent& entry) {
      if (detail == Detail::kNames) return batch.add_unstated(entry.name, entry.type, entry.ino);
      auto stx = sys::statx(directory, entry.name.data());
      if (stx) return batch.add(entry.name, *stx);
      if (stx.err() != ENOENT) batch.add_error(entry.name, stx.error());
    });
    if (!sound) return failure(Call::kGetdents64, EIO);
  }
}

}  // namespace dfd
