// Without a stat: find learns from the directory what is a directory.
export const name = 'find (names only)';
export const tool = 'find';
export const namesOnly = true;
export const command = (root) => ['find', root, '-mindepth', '1'];
export const listing = (root) => ['find', root, '-mindepth', '1', '-printf', '%P\\n'];
