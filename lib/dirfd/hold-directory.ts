/** Directories that callers give by handle or by path, for objects that outlive the call. */

import { DirectoryFd } from './directory-fd.js';
import type { SignalOptions } from './fd.js';

/** A handle of one's own, to be closed, whatever becomes of the one that was given. */
export function holdDirectory(
  place: DirectoryFd | string | Uint8Array | URL,
  { signal }: SignalOptions = {},
): Promise<DirectoryFd> {
  return place instanceof DirectoryFd ? place.openDirectory('.', { signal }) : DirectoryFd.open(place, { signal });
}
