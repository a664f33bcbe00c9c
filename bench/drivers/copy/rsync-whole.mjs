export const name = 'rsync -aHAX -W --inplace';
export const tool = 'rsync';
export const keeps = 'everything';
export const command = (source, destination) => ['rsync', '-aHAX', '-W', '--inplace', `${source}/`, `${destination}/`];
