#include "ops/survey_entry.h"

#include <sys/stat.h>

#include "ops/sync_metadata.h"
#include "sys/stat.h"

namespace dfd {

namespace {

FileKey key_of(const StatRecord& stat) { return {.mount = stat.mount_id, .dev = stat.dev, .ino = stat.ino}; }

}  // namespace

void EntrySurvey::directory(const StatRecord& source, const StatRecord& destination) {
  auto changes = held_changes(source_, source, destination_, destination, options_);
  if (!changes || changes->any()) differ();
}

void EntrySurvey::entry(const char* name) {
  survey_.entries++;
  auto source = sys::statx(source_, name);
  auto present = sys::statx(destination_, name);
  bool obscure = (!source && source.err() != ENOENT) || (!present && present.err() != ENOENT);
  if (obscure) survey_.obscure.emplace_back(name);
  if (!source) return differ();
  StatRecord wanted = to_record(*source);
  if (present && (present->stx_mode & S_IFMT) == (wanted.mode & S_IFMT)) {
    return compare(name, wanted, to_record(*present));
  }
  differ();
  if (S_ISDIR(wanted.mode)) {
    survey_.lacks_directory = true;
  } else {
    note_linked(wanted, nullptr);
  }
}

void EntrySurvey::compare(const char* name, const StatRecord& source, const StatRecord& present) {
  if (S_ISDIR(source.mode)) {
    survey_.common.push_back(
        {.name = name, .source = identity(source), .destination = identity(present), .source_mount = source.mount_id});
    return;
  }
  note_linked(source, &present);
  if (S_ISREG(source.mode) && (source.nlink < 2 || !options_.hard_links)) survey_.bytes += content_bytes(source);
  if (survey_.differs) return;
  // One name in the source, several here: it must not stay linked to what it is no part of.
  if (present.nlink > 1 && (source.nlink == 1 || !options_.hard_links)) return differ();
  if (S_ISREG(source.mode) && !same_content_by_stat(source, present)) return differ();
  EntryNames names{
      .source_dir = source_, .source_name = name, .destination_dir = destination_, .destination_name = name};
  auto changes = entry_changes(names, source, present, options_, stop_);
  if (!changes || changes->any()) differ();
}

void EntrySurvey::note_linked(const StatRecord& source, const StatRecord* present) {
  if (!options_.hard_links || source.nlink < 2) return;
  survey_.linked.push_back({.source = key_of(source),
                            .destination = present ? key_of(*present) : FileKey{},
                            .bytes = S_ISREG(source.mode) ? content_bytes(source) : 0,
                            .links = source.nlink});
}

}  // namespace dfd
