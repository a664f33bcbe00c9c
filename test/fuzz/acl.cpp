// mode_without_acl: whatever a file system gives as an ACL, the mode grants no more than it did, and loses at most its group bits.

#include "ops/acl_mode.h"

#include <sys/stat.h>

#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  dfd::fuzz::Input input(bytes, size);
  uint32_t mode = S_IFREG | ((input.byte() << 8 | input.byte()) & 07777);
  uint32_t kept = dfd::mode_without_acl(mode, input.rest());
  REQUIRE((kept & ~mode) == 0);
  REQUIRE((mode & ~kept & ~uint32_t{S_IRWXG}) == 0);
  return 0;
}
