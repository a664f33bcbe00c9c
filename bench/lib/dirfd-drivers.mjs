// dirfd's own drivers, of which several differ in one option. By path and not by its own name: bench/ is a package of its own, where "dirfd"
// would be looked for among its dependencies.

export function copyDriver(name, options = {}) {
  const load = async () => {
    const { copyTree } = await import('../../dist/index.js');
    return (source, destination, { again, fsync }) =>
      copyTree(source, destination, {
        ...options,
        ...(again ? { update: true } : {}),
        ...(fsync ? { fsync: 'each' } : {}),
      });
  };
  return { name, load, keeps: 'everything', fsyncs: true };
}

export function walkDriver(name, options = {}) {
  const load = async () => {
    const { walk } = await import('../../dist/index.js');
    return async (root, visit) => {
      for await (const entry of walk(root, options)) visit(entry.path, entry.stat.size, entry.stat.mode);
    };
  };
  return { name, load };
}

/** Where the two engines are shown beside one another. */
export const engineCases = [
  'copy-large',
  'copy-large-cold',
  'copy-large-fsync',
  'copy-latency',
  'copy-other-ext4',
  'copy-fsync-ext4',
  'copy-fsync-xfs',
];
