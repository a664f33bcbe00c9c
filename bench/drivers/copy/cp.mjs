export const name = 'cp -a';
export const tool = 'cp';
export const keeps = 'everything';
export const fsyncs = true;
// -T: the destination becomes the copy, also when it is there already. cp knows no fsync: sync(1) does it for many files at a time.
export const command = (source, destination, { again, fsync }) =>
  fsync
    ? ['sh', '-ec', 'cp -aT "$0" "$1"; find "$1" -type f -exec sync {} +', source, destination]
    : ['cp', again ? '-auT' : '-aT', source, destination];
