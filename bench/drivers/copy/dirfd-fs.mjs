export const name = 'dirfd/fs copy()';
export const keeps = 'content';
export const repeats = false;

export async function load() {
  const { copy } = await import('../../../dist/fs/index.js');
  return (source, destination) => copy(source, destination, { preserveTimestamps: true });
}
