// Some entries of one pair of directories, on one thread, both directories held.
#pragma once

#include <memory>
#include <string>

#include "ops/copy_pair.h"
#include "ops/staging.h"

namespace dfd {

class CopyRange {
 public:
  struct Held {
    CopyRun& run;
    const Stop& stop;
    Dirfd source;
    Dirfd destination;
    uint64_t source_dev;
    uint64_t destination_dev;
    bool is_private;  // nobody but this copy makes names in the destination
  };

  CopyRange(const Held& held, NewFiles new_files, Applied& applied);

  // No decision: the default rule. False: the range is to stop here.
  bool copy(uint32_t index, const char* name, const char* destination_name, StatRecord& stat, const Decision* decision);

  // The entry as a hard link to what was copied before to `first_path`, if that is still there.
  void link(uint32_t index, const char* name, const char* destination_name, const std::string& first_path,
            const Ticket& first, Decision decision);

 private:
  Status act(uint32_t index, const char* name, const char* destination_name, StatRecord& stat, Decision decision);
  Status make_directory(uint32_t index, const char* name, const char* destination_name, const StatRecord& stat);
  Status enter_directory(uint32_t index, const char* name, const char* destination_name, const StatRecord& stat);
  Status compare(uint32_t index, const char* name, const char* destination_name, const StatRecord& stat);
  Status copy_metadata_only(uint32_t index, const char* name, const char* destination_name, StatRecord& stat,
                            Decision decision);
  Status copy_other(uint32_t index, const char* name, const char* destination_name, StatRecord& stat,
                    Decision decision);
  Status leave_to_decide(uint32_t index, const EntryPlace& place, StatRecord& stat);
  // False: it is that link already.
  Result<bool> link_at(const char* destination_name, const std::string& first_path, const Ticket& first,
                       Decision decision);
  Status remove_at_destination(const char* name);
  Status publish(const std::string& staged, const char* name, Decision decision);
  Status stage();

  void undecided(uint32_t index, const char* name, const StatRecord& stat);
  void done(uint32_t index, const char* name, const StatRecord& stat, const struct statx& destination,
            Outcome outcome = Outcome::kDone);
  void updated(uint32_t index, const char* name, const StatRecord& stat);
  void count(const StatRecord& stat);

  Held held_;
  NewFiles new_files_;
  Applied& applied_;
  Staging staging_;
  EntryCopier copier_;
};

}  // namespace dfd
