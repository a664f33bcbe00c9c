// Which failures may go away by themselves, so that an entry is worth another try.
//
//   EAGAIN EBUSY ETXTBSY ETIMEDOUT    somebody else is at it: a lease, a running program, a server
//   ESTALE                            NFS: the name stands for another file now, and is looked up anew
//   EMFILE ENFILE ENOMEM              others hold what is short, and give it back
//   EIO                               one more time: a cable, a path of a multipath disk; a disk that fails twice is broken
//   changed, torn                     the file was replaced, or written to, all the time while it was copied
//
// Not: full disks and quotas, permissions, what can never work, and bytes that were read back wrong.
#pragma once

#include "sys/result.h"

namespace dfd {

inline bool is_transient(const SysError& error, uint32_t tries_before) {
  if (error.reason == Reason::kChanged || error.reason == Reason::kTorn) return true;
  if (error.reason != Reason::kErrno) return false;
  switch (error.err) {
    case EAGAIN:
    case EBUSY:
    case ETXTBSY:
    case ETIMEDOUT:
    case ESTALE:
    case EMFILE:
    case ENFILE:
    case ENOMEM: return true;
    case EIO: return tries_before == 0;
    default: return false;
  }
}

}  // namespace dfd
