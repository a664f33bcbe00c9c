import { copyDriver } from '../../lib/dirfd-drivers.mjs';

export const { name, load, keeps } = copyDriver('dirfd copyTree(), concurrency 1', { concurrency: 1 });
