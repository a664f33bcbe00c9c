export const name = 'dirfd copyTree(), engine io_uring';
export const keeps = 'everything';
export const fsyncs = true;
export const cases = [
  'copy-large',
  'copy-large-cold',
  'copy-large-fsync',
  'copy-latency',
  'copy-other-ext4',
  'copy-fsync-ext4',
  'copy-fsync-xfs',
];

export async function load() {
  const { copyTree } = await import('../../../dist/index.js');
  return (source, destination, { fsync }) =>
    copyTree(source, destination, { engine: 'io_uring', ...(fsync ? { fsync: 'each' } : {}) });
}
