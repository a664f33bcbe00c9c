export const name = 'node readdirSync + lstatSync';

export async function load() {
  const { lstatSync, readdirSync } = await import('node:fs');
  return (root, visit) => {
    const descend = (prefix) => {
      for (const entry of readdirSync(`${root}/${prefix}`, { withFileTypes: true })) {
        const path = prefix + entry.name;
        const { size, mode } = lstatSync(`${root}/${path}`);
        visit(path, size, mode);
        if (entry.isDirectory()) descend(`${path}/`);
      }
    };
    descend('');
  };
}
