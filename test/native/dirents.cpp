// for_each_dirent on buffers that no sane file system writes. Each buffer is its own allocation of exactly its size, so that
// AddressSanitizer sees a byte read beyond it.

#include "ops/dirents.h"

#include <dirent.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "check.h"

using namespace dfd;

namespace {

struct Record {
  std::string name;
  int length_error = 0;  // added to the record's true length
  bool terminated = true;
};

std::vector<std::byte> encode(const std::vector<Record>& records) {
  std::vector<std::byte> bytes;
  for (const Record& record : records) {
    size_t length = 19 + record.name.size() + (record.terminated ? 1 : 0);
    size_t start = bytes.size();
    bytes.resize(start + length);
    uint64_t ino = 42;
    auto written = static_cast<uint16_t>(length + record.length_error);
    std::memcpy(&bytes[start], &ino, sizeof ino);
    std::memcpy(&bytes[start + 16], &written, sizeof written);
    bytes[start + 18] = std::byte{DT_REG};
    std::memcpy(&bytes[start + 19], record.name.data(), record.name.size());
  }
  return bytes;
}

struct Outcome {
  std::vector<std::string> names;
  bool whole;
};

Outcome read_all(const std::vector<std::byte>& bytes) {
  auto exact = std::make_unique<std::byte[]>(bytes.size());
  if (!bytes.empty()) std::memcpy(exact.get(), bytes.data(), bytes.size());
  Outcome outcome;
  outcome.whole = for_each_dirent({exact.get(), bytes.size()}, [&](const Dirent& entry) {
    CHECK(std::strlen(entry.name.data()) == entry.name.size());
    outcome.names.emplace_back(entry.name);
  });
  return outcome;
}

using Names = std::vector<std::string>;

void reads_what_is_well_formed() {
  Outcome outcome = read_all(encode({{"."}, {".."}, {"a"}, {"\xff\n"}, {std::string(255, 'x')}}));
  CHECK(outcome.whole);
  CHECK(outcome.names == Names{"a", "\xff\n", std::string(255, 'x')});
  CHECK(read_all({}).whole);
}

void stops_at_a_record_that_does_not_fit() {
  for (int error : {-30, -20, -19, -3, 1, 1000, 65535}) {
    Outcome outcome = read_all(encode({{"a"}, {.name = "bad", .length_error = error}}));
    CHECK(!outcome.whole);
    CHECK(outcome.names == Names{"a"});
  }
  CHECK(!read_all(encode({{.name = "unterminated", .terminated = false}})).whole);
  CHECK(!read_all(encode({{""}})).whole);
  CHECK(!read_all(std::vector<std::byte>(19)).whole);
}

void never_hands_out_a_path() {
  Outcome outcome = read_all(encode({{"../../etc/passwd"}, {"/"}, {"good"}}));
  CHECK(outcome.names == Names{"good"});
}

void survives_random_bytes() {
  std::mt19937 random(20);  // seeded: a failure can be run again
  for (int round = 0; round < 20000; round++) {
    std::vector<std::byte> bytes = encode({{"one"}, {"second"}, {"third one"}});
    bytes.resize(random() % (bytes.size() + 1));
    for (int flips = random() % 8; flips > 0 && !bytes.empty(); flips--) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    }
    for (const std::string& name : read_all(bytes).names) CHECK(!name.empty() && name.find('/') == name.npos);
  }
}

}  // namespace

int main() {
  reads_what_is_well_formed();
  stops_at_a_record_that_does_not_fit();
  never_hands_out_a_path();
  survives_random_bytes();
}
