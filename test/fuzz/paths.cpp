// normalize: what is left of a path has no empty and no "." component, no slash at its ends, the other components in their order, and is
// not changed by being normalized again.

#include <string>
#include <vector>

#include "input.h"
#include "ops/resolve.h"

namespace {

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> kept;
  std::string part;
  for (char c : std::string(path) + "/") {
    if (c != '/') {
      part += c;
      continue;
    }
    if (!part.empty() && part != ".") kept.push_back(part);
    part.clear();
  }
  return kept;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  std::string_view path(reinterpret_cast<const char*>(bytes), size);
  dfd::NormalPath normal = dfd::normalize(path);
  REQUIRE(components(normal.text) == components(path));
  REQUIRE(normal.text == "." || (normal.text.find("//") == std::string::npos && normal.text.front() != '/'));
  REQUIRE(!normal.text.ends_with('/') && !normal.text.ends_with("/."));
  REQUIRE(dfd::normalize(normal.text).text == normal.text);
  REQUIRE(normal.must_be_directory || path.empty() || (path.back() != '/' && !path.ends_with("/.")));
  return 0;
}
