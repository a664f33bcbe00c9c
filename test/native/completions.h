// Completions that are answered otherwise, each in its turn, while a whole operation is carried out: a sweep, as test/fault makes it of system calls,
// where no tracer sees anything. What the kernel itself would say of a name is to be told with that name; what is about the ring costs nothing but a
// call; nothing is lost in silence.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "check.h"
#include "engine/uring/ring.h"
#include "ops/batch.h"

namespace dfd::test {

namespace fs = std::filesystem;
using Paths = std::set<std::string>;

// The completion that is answered otherwise: the `at`-th of an opcode. kHalf is a transfer that came short, kNothing one at an end.
enum : int { kHalf = 1, kNothing = 0 };
struct Fault {
  uint8_t opcode = 0;
  int at = -1;
  int answer = 0;  // an errno as a negative number, kHalf or kNothing

  bool is_about_the_ring() const { return answer < 0 && is_for_a_thread(answer); }
};

inline Fault fault;
inline bool is_only_ahead = false;  // what the ring fails to do is done again
inline bool has_struck = false;
inline std::array<std::atomic<int>, 256> completions;

inline int answer(uint8_t opcode, int result) {
  const bool is_it = completions[opcode]++ == fault.at && opcode == fault.opcode;
  if (!is_it) return result;
  has_struck = true;
  if (opcode == IORING_OP_OPENAT2 && result >= 0) ::close(result);  // nobody hears of it
  return fault.answer == kHalf && result > 0 ? result / 2 : std::min(fault.answer, 0);
}

inline void begin(const Fault& next) {
  fault = next;
  has_struck = false;
  for (auto& count : completions) count = 0;
}

inline bool moves_data(int opcode) {
  return opcode != IORING_OP_STATX && opcode != IORING_OP_OPENAT2 && opcode != IORING_OP_CLOSE;
}

// Runs it without a fault, and then with each.
template <class Run>
void sweep(Run&& run) {
  begin({});
  run();
  std::map<int, int> counted;
  for (int opcode = 0; opcode < 256; opcode++)
    if (completions[static_cast<size_t>(opcode)] > 0) counted[opcode] = completions[static_cast<size_t>(opcode)];
  CHECK(!counted.empty());
  for (const auto& [opcode, count] : counted) {
    const std::vector<int> answers = moves_data(opcode) ? std::vector<int>{kHalf, kNothing, -EIO, -ENOSPC, -EAGAIN}
                                                        : std::vector<int>{-EIO,    -EACCES, -ENOENT, -ESTALE, -ELOOP,
                                                                           -EAGAIN, -EINTR,  -ENOMEM, -EINVAL};
    for (int at = 0; at < count; at++) {
      for (int instead : answers) {
        begin({.opcode = static_cast<uint8_t>(opcode), .at = at, .answer = instead});
        run();
        CHECK(has_struck);
      }
    }
  }
  begin({});
}

// What was found or made, and what was told of.
struct Seen {
  Paths whole;
  Paths told;
};

inline bool lies_at_or_below(const std::string& path, const std::string& above) {
  return path == above || path.starts_with(above + '/');
}

// Held against what there is.
inline void judge(const Seen& seen, const Paths& truth) {
  Paths lacking;
  std::set_difference(truth.begin(), truth.end(), seen.whole.begin(), seen.whole.end(),
                      std::inserter(lacking, lacking.end()));
  CHECK(std::includes(truth.begin(), truth.end(), seen.whole.begin(), seen.whole.end()));
  // Read and write tell what is wrong with data, and nothing is.
  const bool is_harmless = fault.at < 0 || fault.is_about_the_ring() || moves_data(fault.opcode) || is_only_ahead;
  if (is_harmless) return CHECK(lacking.empty() && seen.told.empty());
  CHECK(!lacking.empty());
  // A name that is gone when it is stat'ed was removed, and is no failure: that one and nothing else is left out.
  CHECK(seen.told.size() == (fault.answer == -ENOENT ? 0 : 1));
  const std::string& first = seen.told.empty() ? *lacking.begin() : *seen.told.begin();
  for (const std::string& path : lacking) CHECK(lies_at_or_below(path, first));
}

inline std::string record_path(const std::byte* bytes, const BatchHeader& header, const EntryRecord& record) {
  const auto* directories = bytes + sizeof header + header.entries * sizeof(EntryRecord);
  const char* heap = reinterpret_cast<const char*>(bytes) + header.heap_offset;
  DirectoryRecord directory;
  std::memcpy(&directory, directories + record.directory * sizeof directory, sizeof directory);
  std::string path(heap + directory.path_offset, directory.path_length);
  if (!path.empty() && record.name_length > 0) path += '/';
  return path.append(heap + record.name_offset, record.name_length);
}

inline void take_in(const PackedBatch& batch, Seen& seen) {
  if (!batch.bytes) return;
  BatchHeader header;
  std::memcpy(&header, batch.bytes.get(), sizeof header);
  for (uint32_t i = 0; i < header.entries; i++) {
    EntryRecord record;
    std::memcpy(&record, batch.bytes.get() + sizeof header + i * sizeof record, sizeof record);
    const std::string path = record_path(batch.bytes.get(), header, record);
    CHECK((record.event == Event::kError ? seen.told : seen.whole).insert(path).second);
  }
}

struct Trees {
  TemporaryDirectory place;
  fs::path source = fs::path(place / "source"), destination = fs::path(place / "destination");
  Paths truth;

  Trees() {
    for (const char* directory : {"one", "one/deep", "two", "empty"}) fs::create_directories(source / directory);
    for (const char* file : {"a", "b", "one/c", "one/d", "one/deep/e", "one/deep/f", "two/g", "two/h"})
      std::ofstream(source / file) << file;
    fs::create_symlink("a", source / "two/link");
    // Some blocks of the ring's, and a rest.
    std::string content(size_t{3} << 19 | 4096 | 100, 'x');
    for (size_t i = 0; i < content.size(); i += 100) content[i] = static_cast<char>(i / 100);
    std::ofstream(source / "two/huge", std::ios::binary) << content;
    for (const auto& entry : fs::recursive_directory_iterator(source)) truth.insert(relative(entry, source));
  }

  static std::string relative(const fs::path& path, const fs::path& root) { return path.lexically_relative(root); }

  UniqueFd open(const fs::path& path) const { return sys::open_root(path.c_str(), O_DIRECTORY | O_RDONLY).value(); }
};

}  // namespace dfd::test
