import { walkDriver } from '../../lib/dirfd-drivers.mjs';

export const { name, load } = walkDriver('dirfd walk(), engine threads', { engine: 'threads' });
