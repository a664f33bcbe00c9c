// By path and not by its own name: bench/ is a package of its own, where "dirfd" would be looked for
// among its dependencies.
export const name = 'dirfd walk()';
export const own = true;

export async function load() {
  const { walk } = await import('../../../dist/index.js');
  return async (root, visit) => {
    for await (const entry of walk(root)) visit(entry.path, entry.stat.size, entry.stat.mode);
  };
}
