// How the names of a directory are stat'ed, where somebody has a way to do that many at a time: engine/copy/stat_together.h. A pointer, because
// ops does not know the engine.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <span>

#include "ops/dirents.h"
#include "ops/job.h"
#include "sys/fd.h"

namespace dfd {

using StatVisit = std::function<void(const Dirent& entry, const Result<struct statx>& answer)>;

// Calls `visit` once for each entry, in their order, until `stop`.
using StatMany = void (*)(Dirfd directory, std::span<const Dirent> entries, const Stop& stop, const StatVisit& visit);

// Each name of a directory with its statx, in the file system's order; without `many`, one after the other. ECANCELED where it stopped: names are
// lacking then.
Status for_each_stat(Dirfd directory, StatMany many, const Stop& stop, const StatVisit& visit);

}  // namespace dfd
