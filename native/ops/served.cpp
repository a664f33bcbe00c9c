#include "ops/served.h"

#include <algorithm>
#include <array>

#include "sys/stat.h"

namespace dfd {

namespace {

// Of <linux/magic.h> where they are there. FUSE includes virtiofs, sshfs and what cloud storage is mounted with.
constexpr std::array<uint32_t, 13> kServed = {
    0x65735546,  // FUSE
    0x6969,      // NFS
    0x517B,      // SMB
    0xFF534D42,  // CIFS
    0xFE534D42,  // SMB2
    0x01021997,  // 9P
    0x00C36400,  // Ceph
    0x5346414F,  // AFS
    0x6B414653,  // AFS, the kernel's own
    0x0BD00BD0,  // Lustre
    0x47504653,  // GPFS
    0x19830326,  // BeeGFS
    0x786F4256,  // vboxsf
};

}  // namespace

bool is_served(Dirfd on_it) {
  auto fs = sys::fstatfs(on_it);
  return fs && std::find(kServed.begin(), kServed.end(), static_cast<uint32_t>(fs->f_type)) != kServed.end();
}

}  // namespace dfd
