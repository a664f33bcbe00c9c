export const name = 'dirfd copyTree()';
export const own = true;
export const keeps = 'everything';

export async function load() {
  const { copyTree } = await import('../../../dist/index.js');
  return (source, destination, { again }) => copyTree(source, destination, again ? { update: true } : {});
}
