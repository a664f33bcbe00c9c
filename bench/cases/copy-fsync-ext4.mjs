export default {
  kind: 'copy',
  title: 'copy T1 to another ext4, fsync of each file',
  corpus: 'small',
  fileSystem: 'ext4',
  fsync: true,
};
