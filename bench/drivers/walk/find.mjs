export const name = 'find -printf';
export const tool = 'find';
export const command = (root) => ['find', root, '-mindepth', '1', '-printf', '%p %s %m\\n'];
export const listing = (root) => ['find', root, '-mindepth', '1', '-printf', '%P\\0%s\\0%m\\n'];
