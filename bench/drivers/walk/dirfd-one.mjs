export const name = 'dirfd walk(), concurrency 1';

export async function load() {
  const { walk } = await import('../../../dist/index.js');
  return async (root, visit) => {
    for await (const entry of walk(root, { concurrency: 1 })) visit(entry.path, entry.stat.size, entry.stat.mode);
  };
}
