// The floor: what the kernel asks for the same job when nothing but C stands above it.
import { program } from '../../lib/programs.mjs';

export const name = 'bare C (2 threads, 32 cold)';
export const floor = true;
export const command = (root, { cold }) => [program('bare_walk'), root, cold ? '32' : '2'];
export const listing = (root) => [program('bare_walk'), '--list', root, '2'];
