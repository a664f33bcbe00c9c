export const name = 'dirfd copyTree()';
export const own = true;
export const keeps = 'everything';
export const fsyncs = true;

export async function load() {
  const { copyTree } = await import('../../../dist/index.js');
  return (source, destination, { again, fsync }) =>
    copyTree(source, destination, { ...(again ? { update: true } : {}), ...(fsync ? { fsync: 'each' } : {}) });
}
