export const name = 'bfs -printf';
export const tool = 'bfs';
export const command = (root) => ['bfs', root, '-mindepth', '1', '-printf', '%p %s %m\\n'];
export const listing = (root) => ['bfs', root, '-mindepth', '1', '-printf', '%P\\0%s\\0%m\\n'];
