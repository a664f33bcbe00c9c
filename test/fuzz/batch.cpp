// BatchBuilder: any sequence of additions, read back from the packed bytes by the layout that lib/native/layout.ts has, is what was added.

#include "ops/batch.h"

#include <cstring>
#include <string>
#include <vector>

#include "input.h"

namespace {

using namespace dfd;

struct Added {
  Event event;
  std::string directory;
  uint32_t depth;
  std::string text;
};

class Reader {
 public:
  explicit Reader(const PackedBatch& batch) : batch_(batch), header_(at<BatchHeader>(0)) {
    REQUIRE(header_.heap_offset == records_end() + header_.directories * sizeof(DirectoryRecord));
    REQUIRE(size_t{header_.heap_offset} + header_.heap_length == batch.size);
  }

  void is(const std::vector<Added>& added) const {
    REQUIRE(header_.entries == added.size());
    uint32_t special = 0;
    for (size_t i = 0; i < added.size(); i++) {
      auto record = at<EntryRecord>(sizeof(BatchHeader) + i * sizeof(EntryRecord));
      REQUIRE(record.event == added[i].event && record.directory < header_.directories);
      auto directory = at<DirectoryRecord>(records_end() + record.directory * sizeof(DirectoryRecord));
      REQUIRE(directory.depth == added[i].depth);
      REQUIRE(heap(directory.path_offset, directory.path_length) == added[i].directory);
      size_t length = record.event == Event::kIgnoreFile ? record.stat.size : record.name_length;
      REQUIRE(heap(record.name_offset, length) == added[i].text);
      if (record.event != Event::kEntry) special++;
    }
    REQUIRE(header_.special == special);
    for (char c : heap(0, header_.heap_length)) REQUIRE(header_.ascii == 0 || static_cast<unsigned char>(c) < 0x80);
  }

 private:
  size_t records_end() const { return sizeof(BatchHeader) + header_.entries * sizeof(EntryRecord); }

  template <class Record>
  Record at(size_t offset) const {
    Record record;
    REQUIRE(offset + sizeof record <= batch_.size);
    std::memcpy(&record, batch_.bytes.get() + offset, sizeof record);
    return record;
  }
  std::string_view heap(size_t offset, size_t length) const {
    REQUIRE(offset + length <= header_.heap_length);
    return {reinterpret_cast<const char*>(batch_.bytes.get()) + header_.heap_offset + offset, length};
  }

  const PackedBatch& batch_;
  BatchHeader header_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  fuzz::Input input(bytes, size);
  BatchBuilder builder;
  std::vector<Added> added;
  std::string directory;
  uint32_t depth = 1;
  auto note = [&](Event event, std::string_view text) {
    added.push_back({event, directory, depth, std::string(text)});
    return text;
  };
  auto check = [&] {
    REQUIRE(builder.entries() == added.size());
    PackedBatch batch = builder.take();
    Reader(batch).is(added);
    added.clear();
    REQUIRE(builder.empty());
  };
  while (!input.empty()) {
    switch (input.byte() % 7) {
      case 0:
        directory = input.text();
        depth = input.byte();
        builder.enter(directory, depth);
        break;
      case 1: builder.add(note(Event::kEntry, input.text()), StatRecord{}); break;
      case 2: builder.add_unstated(note(Event::kEntry, input.text()), input.byte(), input.byte()); break;
      case 3: builder.add_error(note(Event::kError, input.text()), failure(Call::kOpenat, input.byte())); break;
      case 4: builder.add_leave(note(Event::kLeave, input.text()), StatRecord{}); break;
      case 5: builder.add_ignore_file(note(Event::kIgnoreFile, input.take(input.byte() * 300))); break;
      case 6: check(); break;
    }
  }
  check();
  return 0;
}
