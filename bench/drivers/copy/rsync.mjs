export const name = 'rsync -aHAX';
export const tool = 'rsync';
export const keeps = 'everything';
export const command = (source, destination) => ['rsync', '-aHAX', `${source}/`, `${destination}/`];
