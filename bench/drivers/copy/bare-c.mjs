// The floor: what the kernel asks for the names, bytes, modes, times and symlinks of a copy when nothing but C stands above it. See its header
// for what it leaves out.
import { program } from '../../lib/programs.mjs';

export const name = 'bare C (2 threads, no more than content, mode and times)';
export const floor = true;
export const keeps = 'content';
export const repeats = false;
export const cases = ['copy-other-ext4', 'copy-same-ext4', 'copy-tmpfs', 'copy-to-tmpfs', 'copy-xfs', 'copy-btrfs'];
export const command = (source, destination) => [program('bare_copy'), source, destination, '2'];
