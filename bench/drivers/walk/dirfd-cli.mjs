import { resolve } from 'node:path';

export const name = 'dirfd walk (CLI)';
export const command = (root) => [
  process.execPath,
  resolve(import.meta.dirname, '../../../dist/cli/dirfd.js'),
  'walk',
  root,
];
