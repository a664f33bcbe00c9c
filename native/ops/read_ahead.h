// Small files that are opened and read many at a time, just before a range copies them one after the other: where a server answers, each would wait
// for its open, its content, its stat and its close in turn. How that is done is known by engine/uring/file_ring.h; an interface, because ops does not
// know the engine.
//
//   apply of a range      ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ ▪ | ▪ ▪ ▪ …
//                         └─ opened, read, stat'ed, in two ┘
//                            rounds; copied one by one; closed together
//
// Only what has gone well is brought forward. Of everything else the ordinary calls find out for themselves, and tell it.
#pragma once

#include <sys/stat.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <span>

#include "ops/copy_options.h"
#include "ops/record.h"

namespace dfd {

// Files at a time, and bytes. A file that is longer is worth the waiting of its own.
inline constexpr size_t kMostAhead = 16;
inline constexpr size_t kBytesAhead = 512 * 1024;
inline constexpr size_t kLongestAhead = 64 * 1024;

struct EarlyFile {
  const char* name = nullptr;
  std::span<std::byte> room{};  // for a byte more than it has, as far as is known
  UniqueFd fd{};                // null: not read ahead, for whatever reason
  std::span<const std::byte> content{};
  struct statx after {};  // when it had been read
};

// On one thread.
class ManyFiles {
 public:
  virtual ~ManyFiles() = default;
  // Opens `files` by name and room, never through a symlink, reads them, and looks at them afterwards.
  virtual void read(Dirfd directory, std::span<EarlyFile> files) = 0;
  virtual void close(std::span<EarlyFile> files) = 0;
};

class ReadAhead {
 public:
  // The entry at an index, if it is a file that will be copied whole; else no name.
  struct Candidate {
    const char* name = nullptr;
    uint64_t size = 0;
  };
  using CandidateAt = std::function<Candidate(size_t index)>;

  // Of a run that reads ahead. `end`: the index behind the last one.
  ReadAhead(CopyRun& run, Dirfd source, size_t end, CandidateAt candidate_at)
      : run_(run), source_(source), end_(end), candidate_at_(std::move(candidate_at)) {}
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // What is there of the entry, whose turn it is, for as long as its turn lasts; null: nothing. Indices only grow.
  const EarlyFile* at(size_t index);

 private:
  using Clock = std::chrono::steady_clock;

  bool is_worth_it(size_t index);
  void read(size_t from);
  void let_go();

  CopyRun& run_;
  const Dirfd source_;
  const size_t end_;
  const CandidateAt candidate_at_;
  std::unique_ptr<ManyFiles> many_;
  std::array<EarlyFile, kMostAhead> files_;
  std::array<size_t, kMostAhead> indices_;
  size_t count_ = 0;
  size_t next_ = 0;                 // of files_
  size_t looked_at_ = 0;            // entries before this index have been asked for
  Clock::time_point read_at_{};     // when that was begun
  Clock::time_point turn_began_{};  // of an ordinary file, whose time is taken
};

}  // namespace dfd
