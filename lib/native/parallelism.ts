/** How many threads this process may run at a time. */

import { availableParallelism } from 'node:os';

/**
 * Processors that the affinity mask and, from libuv 1.49 on, the cgroup's quota allow. Asked once: libuv reads the cgroup's files by
 * path for every answer, and a walk names nothing by path but its root.
 */
export const parallelism: number = availableParallelism();
