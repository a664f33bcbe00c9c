// What stands in for the ring in an addon that was built without liburing: nothing can be opened, so nothing else is ever called.
#ifndef DIRFD_LIBURING

#include "engine/uring/availability.h"
#include "engine/uring/data_ring.h"
#include "engine/uring/file_ring.h"
#include "engine/uring/stat_ring.h"

namespace dfd {

RingAvailability ring_availability() { return {.state = RingState::kNotBuilt}; }

Result<std::unique_ptr<StatRing>> StatRing::open() { return failure(Call::kIoUringSetup, ENOSYS); }

std::unique_ptr<ManyFiles> open_file_ring() { return nullptr; }

Moved move_on_ring(const Stretch& stretch, const Stop&, Job&) {
  return {.at = stretch.from, .written = stretch.from, .unsuited = true};
}
Moved move_on_ring_where_cold(const Stretch& stretch, const Stop& stop, Job& job) {
  return move_on_ring(stretch, stop, job);
}

}  // namespace dfd

#endif
