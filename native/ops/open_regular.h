// A name opened for its data, where it is expected to be a regular file: whatever it has become meanwhile, the open does not wait for it.
#pragma once

#include "ops/job.h"
#include "sys/fd.h"

namespace dfd {

// O_NONBLOCK is added: a FIFO neither holds the open up nor lends itself to be read, by pread(2) at least. The same flag turns waiting
// for a lease (fcntl(2), F_SETLEASE: Samba, NFS servers) into EAGAIN, while the holder is asked to give it back; that is waited for here, until
// the kernel has taken it away or somebody wants us to stop. The caller checks what was opened.
Result<UniqueFd> open_regular(Dirfd dir, const char* name, int flags, const Stop& stop);

}  // namespace dfd
