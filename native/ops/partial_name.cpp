#include "ops/partial_name.h"

namespace dfd {

std::string partial_name(std::string_view name, const StatRecord& stat, const CopyOptions& options) {
  uint64_t facts[] = {stat.dev,
                      stat.ino,
                      stat.size,
                      static_cast<uint64_t>(stat.mtime_s),
                      stat.mtime_ns,
                      stat.ctime_ns,
                      static_cast<uint64_t>(stat.ctime_s),
                      static_cast<uint64_t>(options.sparse)};
  std::string text = ".dirfd-";
  for (uint64_t seed : {0x9e3779b97f4a7c15u, 0xc2b2ae3d27d4eb4fu}) {
    // FNV-1a, 64 bits.
    uint64_t hash = 0xcbf29ce484222325u ^ seed;
    auto mix = [&](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3u; };
    for (uint64_t fact : facts) {
      for (int shift = 0; shift < 64; shift += 8) mix(static_cast<unsigned char>(fact >> shift));
    }
    for (char byte : name) mix(static_cast<unsigned char>(byte));
    for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[(hash >> shift) & 15];
  }
  return text;
}

}  // namespace dfd
