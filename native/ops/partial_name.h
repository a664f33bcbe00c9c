// The name of the private directory in which a large file is kept that was cut off: the next run finds it by what it knows of the file.
#pragma once

#include <string>
#include <string_view>

#include "ops/copy_options.h"
#include "ops/record.h"

namespace dfd {

// The same for the same content of the same file, asked for in the same way. Not a secret, nor proof of anything: bytes are compared.
std::string partial_name(std::string_view name, const StatRecord& stat, const CopyOptions& options);

}  // namespace dfd
