export const name = 'dirfd copyTree(), concurrency 1';
export const keeps = 'everything';

export async function load() {
  const { copyTree } = await import('../../../dist/index.js');
  return (source, destination, { again }) =>
    copyTree(source, destination, { concurrency: 1, ...(again ? { update: true } : {}) });
}
