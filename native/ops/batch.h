// Builds one packed batch (ops/record.h). Used by one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ops/record.h"
#include "sys/result.h"

namespace dfd {

// The finished bytes, owned until JavaScript's garbage collector lets go of them.
struct PackedBatch {
  std::unique_ptr<std::byte[]> bytes;
  size_t size = 0;
};

class BatchBuilder {
 public:
  // Entries added from now on lie in this directory.
  void enter(std::string_view path, uint32_t depth);

  void add(std::string_view name, const struct statx& stx);
  void add(std::string_view name, const StatRecord& stat);
  // A name whose only known fact is getdents64's d_type (DT_UNKNOWN gives mode 0).
  void add_unstated(std::string_view name, uint8_t d_type, uint64_t ino);
  void add_error(std::string_view name, const SysError& error);
  void add_leave(std::string_view name, const StatRecord& stat);
  void add_ignore_file(std::string_view text);

  size_t entries() const { return records_.size(); }
  size_t special() const { return special_; }  // of those, records of another event than kEntry
  size_t bytes() const { return records_.size() * sizeof(EntryRecord) + heap_.size(); }
  bool empty() const { return records_.empty(); }

  // Everything so far as one buffer; the builder is empty afterwards and stays in the directory it was in.
  PackedBatch take();

 private:
  EntryRecord& append(std::string_view name, Event event);
  uint32_t store(std::string_view bytes);
  void note_directory();

  std::vector<EntryRecord> records_;
  std::vector<DirectoryRecord> directories_;
  std::string heap_;
  std::string directory_path_;
  uint32_t directory_depth_ = 1;
  bool directory_noted_ = false;
  uint32_t special_ = 0;
};

}  // namespace dfd
