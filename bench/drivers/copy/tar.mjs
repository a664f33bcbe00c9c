const flags = '--acls --xattrs --xattrs-include="*" --sparse';

export const name = 'tar piped to tar';
export const tool = 'tar';
export const keeps = 'everything';
export const repeats = false;
export const command = (source, destination) => [
  ...['sh', '-c'],
  `mkdir -p "$2" && tar -C "$1" ${flags} -cf - . | tar -C "$2" ${flags} -xpf - --same-owner`,
  ...['sh', source, destination],
];
