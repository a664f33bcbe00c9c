import { walkDriver } from '../../lib/dirfd-drivers.mjs';

export const { name, load } = walkDriver('dirfd walk(), concurrency 1', { concurrency: 1 });
