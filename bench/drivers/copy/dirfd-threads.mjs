import { copyDriver, engineCases } from '../../lib/dirfd-drivers.mjs';

export const cases = engineCases;
export const { name, load, keeps, fsyncs } = copyDriver('dirfd copyTree(), engine threads', { engine: 'threads' });
