/** A path as the user typed it, cut before its last name: the directory is opened, and the name stays relative to it. */
export function splitPath(path: Buffer): { readonly directory: Buffer; readonly name: Buffer } {
  const slash = path.lastIndexOf('/'.charCodeAt(0));
  if (slash < 0) return { directory: Buffer.from('.'), name: path };
  return { directory: path.subarray(0, Math.max(slash, 1)), name: path.subarray(slash + 1) };
}
