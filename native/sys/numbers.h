// System call numbers and flags that are younger than the C library dirfd is built with. From 5.1 on, a new call has
// one number on all architectures (x86-64, arm64).
#pragma once

namespace dfd::sys {

inline constexpr long kSysCachestat = 451;   // Linux 6.5
inline constexpr long kSysFchmodat2 = 452;   // Linux 6.6
inline constexpr long kSysSetxattrat = 463;  // Linux 6.13, as the three below
inline constexpr long kSysGetxattrat = 464;
inline constexpr long kSysListxattrat = 465;
inline constexpr long kSysRemovexattrat = 466;

}  // namespace dfd::sys
