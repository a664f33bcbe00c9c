import { walkDriver } from '../../lib/dirfd-drivers.mjs';

export const own = true;
export const { name, load } = walkDriver('dirfd walk()');
