// Looks for anything that a copy would have to change in a directory that was copied before: two statx and two lists of attributes an entry.
// Nothing is written, and no file is opened. What cannot be seen counts as different, so that the copy meets it and reports it.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "ops/copy_options.h"
#include "ops/record.h"

namespace dfd {

// A file, whatever name it goes by. Subvolumes of one mount have inode numbers of their own each: hence the device.
struct FileKey {
  uint64_t mount = 0;
  uint64_t dev = 0;
  uint64_t ino = 0;
  auto operator<=>(const FileKey&) const = default;
};

// One name of a source file that has several, and the file that goes by it at the destination; none: the zero key.
struct LinkedName {
  FileKey source;
  FileKey destination;
  uint64_t bytes;  // of its content
  uint32_t links;  // names of the source file, those outside of the tree included
};

// A directory on both sides.
struct CommonDirectory {
  std::string name;
  sys::Identity source;
  sys::Identity destination;
  uint64_t source_mount;
};

struct Survey {
  bool differs = false;  // something in the directory, or its own metadata, is to be changed
  bool lacks_directory =
      false;  // the destination has yet to get one: files in it may be further names of files elsewhere
  uint64_t entries = 0;
  uint64_t bytes = 0;  // of the content of files with one name
  std::vector<CommonDirectory> common;
  std::vector<std::string> obscure;  // names that could not be looked at: what lies below, if anything does, is unknown
  std::vector<LinkedName> linked;
};

class EntrySurvey {
 public:
  EntrySurvey(Dirfd source, Dirfd destination, const CopyOptions& options, const Stop& stop, Survey& survey)
      : source_(source), destination_(destination), options_(options), stop_(stop), survey_(survey) {}

  // The two directories themselves.
  void directory(const StatRecord& source, const StatRecord& destination);
  // A name of the source directory, in both.
  void entry(const char* name);

 private:
  void compare(const char* name, const StatRecord& source, const StatRecord& present);
  void note_linked(const StatRecord& source, const StatRecord* present);
  void differ() { survey_.differs = true; }

  Dirfd source_;
  Dirfd destination_;
  const CopyOptions& options_;
  const Stop& stop_;
  Survey& survey_;
};

}  // namespace dfd
