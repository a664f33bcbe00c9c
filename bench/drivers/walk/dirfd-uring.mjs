import { walkDriver } from '../../lib/dirfd-drivers.mjs';

export const { name, load } = walkDriver('dirfd walk(), engine io_uring', { engine: 'io_uring' });
