// Names nobody can guess.
#pragma once

#include <cstddef>
#include <span>

#include "sys/result.h"

namespace dfd::sys {

// getrandom(2): fills the whole span, waiting at boot until the kernel has gathered entropy.
Status fill_random(std::span<std::byte> into);

}  // namespace dfd::sys
