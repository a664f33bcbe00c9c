import { resolve } from 'node:path';

const cli = resolve(import.meta.dirname, '../../../dist/cli/dirfd.js');

export const name = 'dirfd copy (CLI)';
export const keeps = 'everything';
export const command = (source, destination, { again }) => [
  ...[process.execPath, cli, 'copy'],
  ...(again ? ['--update'] : []),
  ...[source, destination],
];
