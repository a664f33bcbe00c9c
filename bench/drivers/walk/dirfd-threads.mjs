export const name = 'dirfd walk(), engine threads';

export async function load() {
  const { walk } = await import('../../../dist/index.js');
  return async (root, visit) => {
    for await (const entry of walk(root, { engine: 'threads' })) visit(entry.path, entry.stat.size, entry.stat.mode);
  };
}
