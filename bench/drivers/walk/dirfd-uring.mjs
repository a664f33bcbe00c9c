export const name = 'dirfd walk(), engine io_uring';

export async function load() {
  const { walk } = await import('../../../dist/index.js');
  return async (root, visit) => {
    for await (const entry of walk(root, { engine: 'io_uring' })) visit(entry.path, entry.stat.size, entry.stat.mode);
  };
}
