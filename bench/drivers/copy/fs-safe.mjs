export const name = '@openclaw/fs-safe copyTree';
export const peer = '@openclaw/fs-safe';
export const nodeMajor = 22;
export const keeps = 'content';
export const repeats = false;

export async function load() {
  const { copyTree } = await import('@openclaw/fs-safe/copy');
  return (source, destination) => copyTree(source, destination);
}
