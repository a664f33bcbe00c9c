#!/bin/sh
# Prints the static liburing to link with, or nothing where there is none, or DIRFD_LIBURING=0 asks for a build without. All three builds ask
# here. Static, so that the addon loads on machines that have no liburing; 2.3 and later know the setup flags that are used.
[ "${DIRFD_LIBURING:-1}" != 0 ] || exit 0
pkg-config --atleast-version=2.3 liburing 2>/dev/null || exit 0
library=$(pkg-config --variable=libdir liburing)/liburing.a
[ ! -f "$library" ] || printf '%s\n' "$library"
