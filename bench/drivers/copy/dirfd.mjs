import { copyDriver } from '../../lib/dirfd-drivers.mjs';

export const own = true;
export const { name, load, keeps, fsyncs } = copyDriver('dirfd copyTree()');
