// Runs a fuzz target over a directory of inputs, where there is no libFuzzer: so every native test run, plain and under each sanitizer, sees
// what fuzzing has kept.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "input.h"

int main(int count, char** arguments) {
  size_t inputs = 0;
  for (int i = 1; i < count; i++) {
    for (const auto& entry : std::filesystem::directory_iterator(arguments[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
      // An allocation of exactly its size: AddressSanitizer sees a byte read beyond it.
      auto exact = std::make_unique<uint8_t[]>(bytes.size());
      std::copy(bytes.begin(), bytes.end(), exact.get());
      LLVMFuzzerTestOneInput(exact.get(), bytes.size());
      inputs++;
    }
  }
  std::printf("%zu inputs\n", inputs);
  return inputs == 0 ? 1 : 0;
}
