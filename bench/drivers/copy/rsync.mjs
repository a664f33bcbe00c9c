export const name = 'rsync -aHAX';
export const tool = 'rsync';
export const keeps = 'everything';
export const fsyncs = true;
export const command = (source, destination, { fsync }) => [
  ...['rsync', '-aHAX', ...(fsync ? ['--fsync'] : [])],
  ...[`${source}/`, `${destination}/`],
];
