export const name = 'cp -a';
export const tool = 'cp';
export const keeps = 'everything';
// -T: the destination becomes the copy, also when it is there already.
export const command = (source, destination, { again }) => ['cp', again ? '-auT' : '-aT', source, destination];
